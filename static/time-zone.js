// Guess the reader's time zone as the first choice; the form works without.
(function () {
  "use strict";
  var select = document.querySelector("select[data-guess-zone]");
  if (!select || select.value !== "UTC" || !window.Intl) return;
  // Browsers know some places by an older name (Asia/Calcutta): what they make of ours tells whether it is the same.
  function known(zone) {
    try {
      return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
    } catch (error) {
      return "";
    }
  }
  var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || zone === "UTC") return;
  var names = Array.from(select.options, function (option) { return option.value; });
  var place = names.indexOf(zone);
  if (place < 0) place = names.findIndex(function (name) { return known(name) === zone; });
  if (place >= 0) select.selectedIndex = place;
})();
