// Turns the engine's client into an entry of its own: search and answers without elements, for pages that draw their own.
export { Anchorite } from "./client.js";
export type { AnswerEvent, AskCall, EngineState, OpenOptions, SearchOptions, VoiceEntry } from "./client.js";
export { AnchoriteError } from "./errors.js";
export type {
  Answer,
  AskEvent,
  AskOptions,
  Backend,
  BackendRequest,
  Choice,
  Evidence,
  FileEntry,
  FilterCounts,
  Filters,
  Hit,
  Manifest,
  Module,
  Outcome,
  PartEntry,
  Passage,
  Turn,
  PlainError,
  Quote,
  Restarted,
  Rung,
  RungState,
  Sentence,
  Sort,
  Timing,
  Written,
} from "./protocol.js";
