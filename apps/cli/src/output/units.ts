/** `1.9 s`, `340 ms`, `2 min 05 s`: as precise as anybody needs. */
export function seconds(value: number): string {
  if (value < 0.0995) return `${Math.round(value * 1000)} ms`;
  if (value < 9.95) return `${value.toFixed(1)} s`;
  if (value < 59.5) return `${Math.round(value)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** `512 B`, `10.9 MB`, `30 GB`: decimal, as disks and the hub count. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let at = 0;
  while (size >= 999.5 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  return `${size >= 99.5 || at === 0 ? Math.round(size) : size.toFixed(1)} ${units[at]}`;
}

/** `5.5 M`, `15.5 B`: as people say how large a model is. */
export function count(value: number): string {
  const units = ["", " k", " M", " B", " T"];
  let size = value;
  let at = 0;
  while (size >= 999.5 && at < units.length - 1) {
    size /= 1000;
    at++;
  }
  return `${at === 0 ? value : size >= 99.5 ? Math.round(size) : size.toFixed(1)}${units[at]}`;
}

/** `1,234.5 tok/s` without the unit: three digits that matter. */
export function rate(value: number): string {
  return value >= 99.5 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);
}
