import { describe, expect, it } from "vitest";
import { renderJinja } from "./jinja.ts";

const render = (template: string, variables: Readonly<Record<string, unknown>> = {}) =>
  renderJinja(template, variables, new Date(0));

/** What Python's Jinja writes, as transformers sets it up. */
describe("templates run as in Python", () => {
  const call = { a: 1, b: ["x", null, true], c: { d: 1.5 }, "it's": "\n\u00a0é" };

  it.each([
    ["{{ none }}{{ true }}{{ false }}{{ 1 }}{{ 1.5 }}{{ 2.0 }}", "NoneTrueFalse11.52.0"],
    ["{{ missing }}|{{ call.missing }}", "|"],
    ["{{ call }}", "{'a': 1, 'b': ['x', None, True], 'c': {'d': 1.5}, \"it's\": '\\n\\xa0é'}"],
    ["{{ ['\\'\"', (1, 2)] }}", "['\\'\"', (1, 2)]"],
    ["{% for x in [1] %}{{ loop.first }}{% if true %}{{ none }}{% endif %}{% endfor %}", "TrueNone"],
    ["{% macro f(x=none) %}[{{ x }}]{% endmacro %}{{ f() }}{{ f(1) }}", "[None][1]"],
    ["{{ 'a' ~ none ~ true ~ [1] ~ 1.5 }}", "aNoneTrue[1]1.5"],
    ["{{ true | string }}{{ [1] | string }}{{ 'x' | string }}", "True[1]x"],
    ["{{ call | tojson }}", '{"a": 1, "b": ["x", null, true], "c": {"d": 1.5}, "it\'s": "\\n\u00a0é"}'],
  ])("writes %s", (template, text) => {
    expect(render(template, { call })).toBe(text);
  });

  it("compares lists and objects by what they hold", () => {
    const messages = [{ role: "user", content: "x" }, { role: "user" }, { content: "x", role: "user" }];
    const template = "{% for m in messages %}{{ m == messages[0] }}{{ m != messages[0] }} {% endfor %}{{ [1] == [1] }}";
    expect(render(template, { messages })).toBe("TrueFalse FalseTrue TrueFalse True");
  });

  it("evaluates each side of an operator once", () => {
    const template =
      "{% set ns = namespace(n=0) %}{% macro f() %}{% set ns.n = ns.n + 1 %}x{% endmacro %}" +
      "{{ f() == 'x' }}{{ f() + 'y' }}{{ ns.n }}";
    expect(render(template)).toBe("Truexy2");
  });

  it("doesn't join text with lists", () => {
    expect(() => render("{{ 'a' + [1] }}")).toThrow("text can't be joined with a list");
    expect(render("{{ [1] + [2] }}{{ [1] | trim }}{{ none | trim }}")).toBe("[1, 2][1]None");
  });

  it("chooses from a list by equality", () => {
    expect(render("{{ tools | reject('equalto', 'b') | join(', ') }}", { tools: ["a", "b", "c"] })).toBe("a, c");
    expect(render("{{ [1, 2, 1] | select('eq', 1) | list }}")).toBe("[1, 1]");
  });

  it("takes off only the characters named", () => {
    expect(render("{{ '<x>\n\n  y'.split('>')[-1].lstrip('\n') }}")).toBe("  y");
    expect(
      render(
        "{{ 'abcba'.strip('ab') }}{{ 'xaa'.rstrip('a') }}|{{ ' a '.strip() }}|{{ ' a '.lstrip(none) }}|{{ '🙂a🙂'.strip('🙂') }}",
      ),
    ).toBe("cx|a|a |a");
  });

  it("takes off what is white space in Python", () => {
    expect(render("{{ text.strip() }}{{ text | trim }}", { text: "\x1c\x85\ufeffa\u3000" })).toBe("\ufeffa\ufeffa");
  });

  it("joins texts, and reads every line end as one", () => {
    expect(render("{{ ', '.join(['a', 'b']) }}")).toBe("a, b");
    expect(render("a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc")).toBe("a\nb\nc");
  });
});
