// Solve the challenge of the sign-up form in the background; a press on "Subscribe" waits until it is solved.
(function () {
  "use strict";
  var field = document.querySelector("input[data-challenge]");
  if (!field || !window.Worker) return;
  var challenge = JSON.parse(field.dataset.challenge);
  var pressed = null;
  var worker = new Worker(field.dataset.worker);
  worker.onmessage = function (event) {
    var solution = {
      algorithm: challenge.algorithm, challenge: challenge.challenge, number: event.data,
      salt: challenge.salt, signature: challenge.signature
    };
    field.value = btoa(JSON.stringify(solution));
    if (pressed) field.form.requestSubmit(pressed);
  };
  worker.postMessage(challenge);
  field.form.addEventListener("submit", function (event) {
    var subscribes = event.submitter && !event.submitter.hasAttribute("formaction") && !event.submitter.name;
    if (field.value || !subscribes) return;
    event.preventDefault();
    pressed = event.submitter;
    pressed.setAttribute("aria-busy", "true");
  });
})();
