import { byId } from "./dom.ts";

const STORE = "llm-theme";

/** Light or dark: as the system is, until it is chosen here. */
export function themeSwitch(): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = (): string => localStorage.getItem(STORE) ?? (system.matches ? "dark" : "light");
  const apply = (): void => {
    document.documentElement.dataset.theme = chosen();
  };
  byId("theme").addEventListener("click", () => {
    localStorage.setItem(STORE, chosen() === "dark" ? "light" : "dark");
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
