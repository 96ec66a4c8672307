// Turns this package into what pages import: the engine's client and the elements, which define themselves.
export * from "./engine/index.js";
export type { Message, MessageKey, Messages } from "./elements/messages.js";
export { AnchoriteAnswer } from "./elements/anchorite-answer.js";
export { AnchoriteChat } from "./elements/anchorite-chat.js";
export { AnchoriteCitation } from "./elements/anchorite-citation.js";
export { AnchoriteSearch } from "./elements/anchorite-search.js";
export { AnchoriteStatus } from "./elements/anchorite-status.js";
export { AnchoriteWidget } from "./elements/anchorite-widget.js";
