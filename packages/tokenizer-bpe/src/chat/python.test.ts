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

  it("takes off only the characters named", () => {
    expect(render("{{ '<x>\n\n  y'.split('>')[-1].lstrip('\n') }}")).toBe("  y");
    expect(
      render("{{ 'abcba'.strip('ab') }}{{ 'xaa'.rstrip('a') }}|{{ ' a '.strip() }}|{{ ' a '.lstrip(none) }}|"),
    ).toBe("cx|a|a |");
  });

  it("takes off what is white space in Python", () => {
    expect(render("{{ text.strip() }}{{ text | trim }}", { text: "\x1c\x85\ufeffa\u3000" })).toBe("\ufeffa\ufeffa");
  });

  it("joins texts, and reads every line end as one", () => {
    expect(render("{{ ', '.join(['a', 'b']) }}")).toBe("a, b");
    expect(render("a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc")).toBe("a\nb\nc");
  });
});
