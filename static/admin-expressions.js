// An interpreter for the expressions in the attributes of Unfold's templates, such as x-show="open && !closed".
// Alpine would compile them with `new Function`, which our Content-Security-Policy forbids: then markup that slipped
// into a page could run any script. This reads only what Unfold writes: literals, names, members, calls, comparisons,
// assignments, `a ? b : c`, `if`, and arrow functions as arguments. Loops, `new`, `function` and the rest are refused.
//
// readExpression(text) returns a function of a scope. The scope decides what names and members mean, and which of
// them may be used: get, set and call take a name, read, write and invoke an object and the name of its member.
const readExpression = (() => {
  "use strict";

  const TOKEN = new RegExp(
    [
      /(?<number>\d+(?:\.\d+)?)/,
      /(?<name>[A-Za-z_$][\w$]*)/,
      /(?<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/,
      /(?<sign>=>|[=!]==?|[<>]=?|&&|\|\||[+!?:;,.(){}[\]=])/,
      /(?<end>$)/,
    ].map((one) => one.source).join("|"), "y");
  const CONSTANTS = { __proto__: null, true: true, false: false, null: null, undefined: undefined };
  const FORBIDDEN = ["constructor", "prototype", "__proto__"];
  // How tightly each operator binds, and what it does. The right side is computed only when it is needed.
  const OPERATORS = {
    __proto__: null,
    "||": [1, (left, right) => left || right()],
    "&&": [2, (left, right) => left && right()],
    "==": [3, (left, right) => left == right()],
    "!=": [3, (left, right) => left != right()],
    "===": [3, (left, right) => left === right()],
    "!==": [3, (left, right) => left !== right()],
    "<": [4, (left, right) => left < right()],
    ">": [4, (left, right) => left > right()],
    "<=": [4, (left, right) => left <= right()],
    ">=": [4, (left, right) => left >= right()],
    "+": [5, (left, right) => left + right()],
  };

  function tokensOf(text) {
    const tokens = [];
    TOKEN.lastIndex = 0;
    do {
      TOKEN.lastIndex += text.slice(TOKEN.lastIndex).search(/\S|$/);
      const at = TOKEN.lastIndex;
      const found = TOKEN.exec(text);
      if (!found) throw new SyntaxError(`Cannot read "${text.slice(at, at + 20)}".`);
      const [kind, value] = Object.entries(found.groups).find(([, value]) => value !== undefined);
      tokens.push({ kind, value });
    } while (tokens.at(-1).kind !== "end");
    return tokens;
  }

  function allowedKey(key) {
    if (FORBIDDEN.includes(key)) throw new SyntaxError(`"${key}" is not allowed.`);
    return key;
  }

  // Each method reads one kind of expression and returns { get } of a scope, with { set, call } where it has them.
  class Reader {
    constructor(text) {
      this.tokens = tokensOf(text);
      this.position = 0;
    }

    get token() {
      return this.tokens[this.position];
    }

    isNext(value) {
      return ["sign", "name", "end"].includes(this.token.kind) && this.token.value === value;
    }

    accept(value) {
      const found = this.isNext(value);
      if (found) this.position += 1;
      return found;
    }

    expect(value) {
      if (!this.accept(value)) throw new SyntaxError(`Expected "${value}" before "${this.token.value}".`);
    }

    take(kind) {
      if (this.token.kind !== kind) throw new SyntaxError(`Did not expect "${this.token.value}".`);
      return this.tokens[this.position++].value;
    }

    // Statements until `end`, which is "" for the end of the text.
    statements(end) {
      const steps = [];
      while (!this.isNext(end)) {
        if (this.accept(";")) continue;
        const isCondition = this.isNext("if");
        steps.push(isCondition ? this.condition() : this.expression());
        if (!isCondition && !this.isNext(end)) this.expect(";");
      }
      this.expect(end);
      return { get: (scope) => steps.reduce((_, step) => step.get(scope), undefined) };
    }

    condition() {
      this.expect("if");
      this.expect("(");
      const test = this.expression();
      this.expect(")");
      const yes = this.branch();
      const no = this.accept("else") ? this.branch() : { get: () => undefined };
      return { get: (scope) => void (test.get(scope) ? yes : no).get(scope) };
    }

    branch() {
      return this.accept("{") ? this.statements("}") : this.expression();
    }

    expression() {
      const target = this.choice();
      if (!this.accept("=")) return target;
      if (!target.set) throw new SyntaxError("Only names and members can be assigned to.");
      const value = this.expression();
      return { get: (scope) => target.set(scope, value.get(scope)) };
    }

    choice() {
      const test = this.binary(1);
      if (!this.accept("?")) return test;
      const yes = this.expression();
      this.expect(":");
      const no = this.expression();
      return { get: (scope) => (test.get(scope) ? yes : no).get(scope) };
    }

    binary(tightness) {
      let left = this.unary();
      while (this.token.kind === "sign" && OPERATORS[this.token.value]?.[0] >= tightness) {
        const [binds, compute] = OPERATORS[this.take("sign")];
        const [first, second] = [left, this.binary(binds + 1)];
        left = { get: (scope) => compute(first.get(scope), () => second.get(scope)) };
      }
      return left;
    }

    unary() {
      if (!this.accept("!")) return this.chain();
      const value = this.unary();
      return { get: (scope) => !value.get(scope) };
    }

    chain() {
      let left = this.primary();
      for (;;) {
        if (this.accept(".")) left = this.member(left, this.constant(allowedKey(this.take("name"))));
        else if (this.accept("[")) left = this.member(left, this.index());
        else if (this.accept("(")) left = this.call(left);
        else return left;
      }
    }

    member(object, key) {
      return {
        get: (scope) => scope.read(object.get(scope), String(key.get(scope))),
        set: (scope, value) => scope.write(object.get(scope), String(key.get(scope)), value),
        call: (scope, values) => scope.invoke(object.get(scope), String(key.get(scope)), values),
      };
    }

    call(target) {
      if (!target.call) throw new SyntaxError("Only names and members can be called.");
      const values = this.list(")", () => this.argument());
      return { get: (scope) => target.call(scope, values.map((value) => value.get(scope))) };
    }

    index() {
      const key = this.expression();
      this.expect("]");
      return key;
    }

    list(end, item) {
      const found = [];
      while (!this.accept(end)) {
        if (found.length) this.expect(",");
        found.push(item());
      }
      return found;
    }

    // Arrow functions are read here only, so that no object in a page can be given a method.
    argument() {
      if (this.tokens[this.position + 1]?.value !== "=>") return this.expression();
      const name = allowedKey(this.take("name"));
      this.expect("=>");
      const body = this.expression();
      return { get: (scope) => (value) => body.get(scope.extended({ [name]: value })) };
    }

    primary() {
      if (this.accept("(")) {
        const { get } = this.expression();
        this.expect(")");
        return { get };
      }
      if (this.accept("[")) {
        const items = this.list("]", () => this.expression());
        return { get: (scope) => items.map((item) => item.get(scope)) };
      }
      if (this.accept("{")) return this.object();
      if (this.token.kind === "number") return this.constant(Number(this.take("number")));
      if (this.token.kind === "text") return this.constant(this.text());
      const name = allowedKey(this.take("name"));
      if (name in CONSTANTS) return this.constant(CONSTANTS[name]);
      return {
        get: (scope) => scope.get(name),
        set: (scope, value) => scope.set(name, value),
        call: (scope, values) => scope.call(name, values),
      };
    }

    object() {
      const entries = this.list("}", () => this.entry());
      return { get: (scope) => Object.fromEntries(entries.map(([key, value]) => [key, value.get(scope)])) };
    }

    entry() {
      const key = allowedKey(this.token.kind === "text" ? this.text() : this.take("name"));
      this.expect(":");
      return [key, this.expression()];
    }

    text() {
      return this.take("text").slice(1, -1).replace(/\\(.)/g, "$1");
    }

    constant(value) {
      return { get: () => value };
    }
  }

  const known = new Map();
  return (text) => {
    if (!known.has(text)) known.set(text, new Reader(text).statements("").get);
    return known.get(text);
  };
})();
