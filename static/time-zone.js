// Guess the reader's time zone and first choice of it; the form works without.
(function () {
  "use strict";
  var select = document.querySelector("select[data-guess-zone]");
  if (!select || select.value !== "UTC" || !window.Intl) return;
  var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (var i = 0; i < select.options.length; i += 1) {
    if (select.options[i].value === zone) select.selectedIndex = i;
  }
})();
