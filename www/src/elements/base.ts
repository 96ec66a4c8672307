// Turns a `bundle` attribute into a subscription to the engine that all elements with that bundle share.
import type { PropertyDeclarations } from "lit";
import { bundleUrl, pageLink } from "../engine/address.js";
import { Anchorite, type EngineState } from "../engine/client.js";
import type { Module } from "../engine/protocol.js";
import { SiteElement } from "./site-element.js";

/**
 * Base of the elements: the address of the bundle, when to load it, and the state of its engine.
 * `data-state` on the element follows the engine: `idle`, `loading`, `ready` or `error`.
 */
export abstract class BundleElement extends SiteElement {
  static override properties: PropertyDeclarations = {
    ...SiteElement.properties,
    bundle: {},
    load: {},
    theme: { reflect: true },
    state: { state: true },
  };

  /** Folder that `anchorite build` made, relative to the page. */
  declare bundle: string;
  /** `use` (default) loads when the reader first needs it; `now` as soon as the element is on the page. */
  declare load: "use" | "now";
  declare theme: "light" | "dark" | "auto";
  /** The module that this element needs; the engine that it shares may run more. */
  protected readonly module: Module = "search";
  /** The last state of the engine; null before it is asked to load. */
  declare protected state: EngineState | null;
  #engine: Anchorite | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor() {
    super();
    this.bundle = "bundle/";
    this.load = "use";
    this.theme = "auto";
    this.state = null;
  }

  /** The engine, loading it if need be; rejects with an `AnchoriteError` when the bundle cannot be opened. */
  get engine(): Promise<Anchorite> {
    return this.start().opened;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Elements earlier on the page wait to start their engine until all of the page's elements are known.
    if (this.module === "answers" && this.load === "now") Anchorite.expectQuestions(this.bundle);
    if (this.#engine) this.#subscribe(this.#engine);
    this.#mark();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  protected override firstUpdated(): void {
    if (this.load === "now") this.start();
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has("state")) this.#mark();
    // Only without a theme of its own does an element show which colours the page would give it.
    if (changed.has("theme") && changed.get("theme") !== undefined) this.followScheme();
  }

  /** The full address of a hit or passage. */
  protected link(url: string): string {
    return pageLink(url, bundleUrl(this.bundle));
  }

  /** Starts loading, or retries after a failure. Call it when the reader acts, never from a render; repeated calls are safe. */
  protected start(): Anchorite {
    if (!this.#engine || this.#engine.state.error) {
      const engine = Anchorite.shared(this.bundle, this.module);
      if (engine !== this.#engine) {
        this.#engine = engine;
        this.#subscribe(engine);
        this.started(engine);
      }
    }
    return this.#engine;
  }

  /** Called with the engine once it exists, for an element's first requests. */
  protected started(_engine: Anchorite): void {}

  /** True once everything that this element waits for has ended, in success or failure. */
  protected abstract settled(state: EngineState): boolean;

  #subscribe(engine: Anchorite): void {
    this.#unsubscribe?.();
    this.#unsubscribe = engine.subscribe((state) => {
      this.state = state;
    });
  }

  #mark(): void {
    const { state } = this;
    this.dataset["state"] = !state ? "idle" : state.error ? "error" : this.settled(state) ? "ready" : "loading";
  }
}
