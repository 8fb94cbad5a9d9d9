// Let Unfold's Alpine evaluate attributes with our interpreter (admin-expressions.js), so that the admin needs no
// 'unsafe-eval'. What an expression may reach is listed here; everything else is refused and logged to the console.
// An attribute that somebody smuggles into a page can then toggle menus, but run, send or read nothing.
document.addEventListener("alpine:init", () => {
  "use strict";

  const STORED = ["sidebarDesktopOpen"];
  const EVENTS = ["opencommand"];
  // The methods of Unfold's components that its templates call.
  const METHODS = [
    "applyShortcut", "handleContentLoaded", "handleEscape", "handleOpen", "handleOutsideClick", "handleShortcut",
    "nextItem", "prevItem", "removeFromHistory", "selectItem", "switchTheme", "toggleFavorite", "$dispatch", "$watch",
  ];
  const MAGIC = ["$el", "$event", "$refs", "$dispatch", "$watch", "$width"];

  function refuse(what) {
    throw new Error(`${what} is not allowed here.`);
  }

  const storage = {
    getItem: (key) => (STORED.includes(key) ? localStorage.getItem(key) : refuse(`Reading "${key}"`)),
    setItem: (key, value) => (STORED.includes(key) ? localStorage.setItem(key, value) : refuse(`Writing "${key}"`)),
  };
  const address = {
    get pathname() { return location.pathname; },
    get search() { return location.search; },
    get hash() { return location.hash; },
    set href(url) {
      if (new URL(url, location.href).origin !== location.origin) refuse("Leaving this site");
      location.href = url;
    },
  };
  const GLOBALS = {
    window: { location: address },
    localStorage: storage,
    // Unfold's own, of its app.js
    theme, searchForm, searchDropdown, searchCommand, getCurrentTab, sortRecords, moveRecords,
  };

  // Which members of which objects may be used, besides the values of plain data.
  const isEvent = (object) => object instanceof Event;
  const isStorage = (object) => object === storage;
  // Unfold names its search fields so, and no others: passwords and CSRF tokens stay unread.
  const isSearchField = (object) => object instanceof HTMLInputElement && object.hasAttribute("x-ref");
  const READABLE = {
    __proto__: null,
    target: isEvent, metaKey: isEvent, ctrlKey: isEvent,
    tagName: (object) => object instanceof Element,
    href: (object) => object instanceof HTMLAnchorElement,
    length: (object) => object instanceof NodeList,
    value: isSearchField,
  };
  const WRITABLE = { __proto__: null, value: isSearchField, href: (object) => object === address };
  const CALLABLE = {
    __proto__: null,
    getItem: isStorage, setItem: isStorage, blur: isSearchField, includes: Array.isArray,
    toLowerCase: (object) => typeof object === "string",
  };

  function isData(object) {
    return typeof object === "object" && object !== null &&
      [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(object));
  }

  // $persist's objects write to any path of any object, so no expression may hold one.
  function checked(value, name) {
    return value?._x_interceptor ? refuse(`"${name}"`) : value;
  }

  const members = {
    read(object, name) {
      if (READABLE[name]?.(object)) return object[name];
      if (!isData(object) || name.startsWith("$")) refuse(`"${name}"`);
      const value = object[name]; // $refs has no properties of its own, but elements
      if (!(Object.hasOwn(object, name) || value instanceof Element) || typeof value === "function") refuse(`"${name}"`);
      return checked(value, name);
    },
    write(object, name, value) {
      if (!WRITABLE[name]?.(object)) refuse(`Writing "${name}"`);
      return (object[name] = value);
    },
    invoke(object, name, values) {
      return CALLABLE[name]?.(object) ? object[name](...values) : refuse(`Calling "${name}"`);
    },
  };

  // What names mean: what the nearest of Alpine's data objects holds, or else one of GLOBALS.
  function scopeOf(objects) {
    const all = Alpine.mergeProxies(objects);
    const holder = (name) => objects.find((one) => Object.hasOwn(one, name));
    return {
      ...members,
      extended: (more) => scopeOf([more, ...objects]),
      get(name) {
        if (name.startsWith("$") && !MAGIC.includes(name)) refuse(`"${name}"`);
        const held = holder(name);
        const value = held && checked(Reflect.get(held, name, all), name);
        if (typeof value === "function" && !METHODS.includes(name)) refuse(`Calling "${name}"`);
        if (held) return value;
        return Object.hasOwn(GLOBALS, name) ? GLOBALS[name] : refuse(`"${name}"`);
      },
      set(name, value) {
        if (name.startsWith("$") || Object.hasOwn(GLOBALS, name)) refuse(`Writing "${name}"`);
        return (all[name] = value);
      },
      call(name, values) {
        return this.get(name).apply(holder(name) ? all : undefined, values);
      },
    };
  }

  function dispatcher(el) {
    return (name) => {
      if (!EVENTS.includes(name)) refuse(`Sending "${name}"`);
      el.dispatchEvent(new CustomEvent(name, { bubbles: true }));
    };
  }

  function compute(expression, objects, params) {
    const all = Alpine.mergeProxies(objects);
    // Alpine also passes functions, as those of Unfold's themeBindings, and calls the one that an expression names.
    const value = typeof expression === "function" ? expression : readExpression(expression)(scopeOf(objects));
    return typeof value === "function" ? value.apply(all, params) : value;
  }

  Alpine.setEvaluator((el, expression) => {
    const around = [{ $el: el, $dispatch: dispatcher(el) }, ...Alpine.closestDataStack(el)];
    return (receive = () => {}, { scope = {}, params = [] } = {}) => {
      try {
        receive(compute(expression, [scope, ...around], params));
      } catch (error) {
        console.error(`In "${expression}": ${error.message}`, el);
      }
    };
  });
});
