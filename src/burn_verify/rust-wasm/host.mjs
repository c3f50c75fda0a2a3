// Runs the module of the last argument in node's WASI; the folder before it is the only one that it sees.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [folder, module] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: ["runner"], preopens: { [folder]: folder } });
const compiled = await WebAssembly.compile(await readFile(module));
wasi.start(await WebAssembly.instantiate(compiled, wasi.getImportObject()));
