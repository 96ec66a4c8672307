// Turns the demo page's address and its optional `demo.json` into settings of the elements.
import "../src/index.js";
import { AnchoriteChat } from "../src/index.js";

interface Demo {
  readonly title?: string;
  readonly sentence?: string;
  readonly questions?: readonly string[];
  /** The voice that speaks first, by its name in the bundle. */
  readonly voice?: string;
}

const MAX_QUESTIONS = 4;
const chat = document.querySelector("anchorite-chat");

// `?backend=webgpu` or `?backend=cpu` overrides the ladder, for tests and for the curious.
const backend = new URLSearchParams(location.search).get("backend");
if (chat instanceof AnchoriteChat && (backend === "webgpu" || backend === "cpu")) chat.backend = backend;

/** Texts of this site, when its owner wrote some. */
async function describe(): Promise<void> {
  const response = await fetch("demo.json").catch(() => null);
  if (!response?.ok) return;
  const demo = (await response.json()) as Demo;
  if (demo.title) {
    document.title = demo.title;
    document.querySelector("#title")?.replaceChildren(demo.title);
  }
  if (demo.sentence) document.querySelector("#sentence")?.replaceChildren(demo.sentence);
  if (chat && demo.voice) chat.voice = demo.voice;
  if (chat && demo.questions) chat.suggestions = demo.questions.slice(0, MAX_QUESTIONS);
}

/** Keeps the page itself for visits without a network; unavailable on plain http from another machine. */
async function keep(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("anchorite-offline.js").catch(() => undefined);
  if (await navigator.serviceWorker.getRegistration()) await navigator.serviceWorker.ready;
}

// A page that says it is ready asks for nothing more.
await Promise.allSettled([describe(), keep()]);
document.documentElement.dataset["state"] = "ready";
