// Let Unfold's templates work with the Alpine that evaluates no text as code, so that the admin needs no
// 'unsafe-eval': with it, an injected attribute such as x-init would run whatever it holds.
// That Alpine reads one expression at a time and knows no globals.
document.addEventListener("alpine:init", function () {
  "use strict";
  ["theme", "searchForm", "searchDropdown", "searchCommand"].forEach(function (name) {
    Alpine.data(name, window[name]);
  });

  // What Unfold's <body> holds.
  Alpine.data("page", function (tab) {
    return {
      activeTab: tab ? getCurrentTab() || tab : "",
      sidebarMobileOpen: false,
      sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
      init: function () {
        this.$watch("sidebarDesktopOpen", function (isOpen) {
          localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0");
        });
      },
    };
  });
  Alpine.magic("location", function () {
    return { pathname: location.pathname, search: location.search };
  });

  function rewritten(name, value) {
    if (typeof value !== "string") return value; // a function of themeBindings
    if (name === "x-data" && value.includes("sidebarDesktopOpen:")) {
      var tab = value.match(/activeTab: '([\w-]+)'/);
      return "page('" + (tab ? tab[1] : "") + "')";
    }
    if (name === "x-init" && value.includes("$watch('sidebarDesktopOpen'")) return "";
    if (value.startsWith("sidebarDesktopOpen = !sidebarDesktopOpen;")) return "sidebarDesktopOpen = !sidebarDesktopOpen";
    return value
      .replaceAll("window.location.", "$location.")
      .replace(/^if \((.*)\) (selectItem\([^()]*\))$/, "$1 && $2");
  }
  Alpine.mapAttributes(function (attribute) {
    return { name: attribute.name, value: rewritten(attribute.name, attribute.value) };
  });
});
