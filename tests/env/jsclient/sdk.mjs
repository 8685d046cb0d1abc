// SPDX-License-Identifier: MIT
// The SDK from the folder that deps.sh installed it in (JSCLIENT_HOME), and nothing of its talk on our standard output.
import console from "node:console";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

globalThis.console = new console.Console(process.stderr);
const require = createRequire(path.join(process.env.JSCLIENT_HOME, "anything.js"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

await load("fake-indexeddb/auto");
export const sdk = await load("matrix-js-sdk");
export const api = await load("matrix-js-sdk/lib/crypto-api/index.js");
export const { logger } = await load("matrix-js-sdk/lib/logger.js");
logger.setLevel(process.env.JSCLIENT_LOG ?? "warn");
