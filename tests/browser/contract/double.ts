// Compiles only if the double has the interface of the modules that it stands in for.
import type * as answers from "#pkg";
import type * as embedder from "#pkg-embedder";
import type * as search from "#pkg-search";
import * as double from "../fake-pkg/anchorite_answers.js";

/** wasm-bindgen's classes can be freed; the double has nothing to free. */
type Methods<Class> = Omit<Class, "free" | typeof Symbol.dispose>;
type Ask = answers.Engine["ask"];

export const stands: {
  readonly answers: new (manifest: Uint8Array) => Methods<Omit<answers.Engine, "ask">> & {
    ask(question: string, options: Parameters<Ask>[1], abort: double.AbortFlag, onEvent: Parameters<Ask>[3]): ReturnType<Ask>;
  };
  readonly search: new (manifest: Uint8Array) => Methods<search.Engine>;
  readonly embedder: new () => Methods<embedder.Embedder>;
  readonly abort: new () => Methods<answers.AbortFlag>;
  readonly subgroups: typeof answers.browserHasSubgroups;
} = {
  answers: double.Engine,
  search: double.Engine,
  embedder: double.Embedder,
  abort: double.AbortFlag,
  subgroups: double.browserHasSubgroups,
};
