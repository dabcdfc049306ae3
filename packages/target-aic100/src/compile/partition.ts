/** How devices that share a model reach one another: directly, or through the host's memory. */
export type Connection = "p2p" | "host";

export interface Partition {
  readonly devices: number;
  /** Of each device. */
  readonly numCores: number;
  readonly connection: Connection;
}

/** Where a partition of few devices stays on one line. */
const WIDTH = 128;

/**
 * The compiler's file for tensor slicing: one partition of all devices, by their numbers among those that run it. Which
 * cards those are is said when it runs. Without a connection, the compiler takes the host's way.
 */
export function partitionFile({ devices, numCores, connection }: Partition): string {
  const ids = Array.from({ length: devices }, (_, id) => id);
  const each = ids.map((id) => `{ "deviceId": ${id}, "numCores": ${numCores} }`);
  const short = `        { "name": "Partition0", "devices": [ ${each.join(", ")} ] }`;
  const long = [
    "        {",
    '            "name": "Partition0",',
    '            "devices": [',
    each.map((device) => `                ${device}`).join(",\n"),
    "            ]",
    "        }",
  ].join("\n");
  const connections =
    connection === "p2p" ? [`    "connections": [ { "devices": [${ids.join(", ")}], "type": "p2p" } ],`] : [];
  const partition = short.length > WIDTH ? long : short;
  return ["{", ...connections, '    "partitions": [', partition, "    ]", "}", ""].join("\n");
}
