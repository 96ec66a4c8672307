// Turns this package into what pages import: the engine's client and the elements, which define themselves.
export { Anchorite } from "./engine/client.js";
export type { AnswerEvent, AskCall, EngineState, OpenOptions, SearchOptions, VoiceEntry } from "./engine/client.js";
export { AnchoriteError } from "./engine/errors.js";
export type {
  Answer,
  AskEvent,
  AskOptions,
  Backend,
  BackendRequest,
  Choice,
  FilterCounts,
  Filters,
  Hit,
  Manifest,
  Module,
  Passage,
  Quote,
  Restarted,
  Rung,
  RungState,
  Sentence,
  Timing,
} from "./engine/protocol.js";
export { AnchoriteAnswer } from "./elements/anchorite-answer.js";
export { AnchoriteChat } from "./elements/anchorite-chat.js";
export { AnchoriteCitation } from "./elements/anchorite-citation.js";
export { AnchoriteSearch } from "./elements/anchorite-search.js";
export { AnchoriteStatus } from "./elements/anchorite-status.js";
