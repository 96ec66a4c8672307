// Turns a device's abilities and a requested backend into the backend that generates, before anything large is fetched.
import type { BackendRequest, Choice } from "./protocol.js";

/** Properties of the device that decide where to run; gathered by `probe`, or written by hand in a test. */
export interface Device {
  /** `navigator.gpu` exists. */
  readonly webgpu: boolean;
  /** The adapter, or null when the browser has the interface but no adapter to give. */
  readonly adapter: {
    readonly name: string;
    readonly software: boolean;
    /** Its shaders can use subgroups. */
    readonly subgroups: boolean;
  } | null;
  /** The visitor asked the browser to save data. */
  readonly saveData: boolean;
  /** Bytes of memory that the device says it has; null if it does not say, or says only that it has at least `MEMORY_TOLD`. */
  readonly memory: number | null;
}

/** Largest memory that browsers report, in GiB: they round it, and report this value for anything larger. */
const MEMORY_TOLD = 8;

/** Names that software implementations of WebGPU give themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

/** Asks the device. Never throws: a browser that fails to answer has no adapter. */
export async function probe(scope: { readonly navigator: unknown }): Promise<Device> {
  const navigator = scope.navigator as {
    readonly gpu?: GPU;
    readonly connection?: { readonly saveData?: boolean };
    readonly deviceMemory?: number;
  };
  const saveData = navigator.connection?.saveData === true;
  const told = navigator.deviceMemory;
  const memory = told !== undefined && told < MEMORY_TOLD ? told * 2 ** 30 : null;
  if (!navigator.gpu) return { webgpu: false, adapter: null, saveData, memory };
  try {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return { webgpu: true, adapter: null, saveData, memory };
    const { vendor, architecture, device, description } = adapter.info;
    const name = description || [vendor, architecture, device].filter(Boolean).join(" ") || "GPU";
    // Older browsers put the flag on the adapter instead of its description.
    const flagged =
      (adapter.info as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true ||
      (adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true;
    const software = flagged || SOFTWARE.test(`${name} ${vendor} ${architecture}`);
    const subgroups = adapter.features?.has("subgroups") === true;
    return { webgpu: true, adapter: { name, software, subgroups }, saveData, memory };
  } catch {
    return { webgpu: true, adapter: null, saveData, memory };
  }
}

/**
 * Chooses where to run a generator of `bytes`, with a reason that the page shows verbatim.
 *
 * A software adapter is slower than our own CPU kernels, so it is taken only when asked for by name. A visitor
 * who saves data gets search and quotations without the model, unless the page asks for a backend by name. The same
 * goes for a device with less than twice the memory that the model takes.
 */
export function choose(request: BackendRequest, device: Device, bytes: number): Choice {
  const missing = !device.webgpu
    ? "this browser has no WebGPU"
    : device.adapter === null
      ? "the browser offers no GPU adapter"
      : null;
  if (request === "cpu") return { kind: "cpu", reason: "asked for by the page" };
  if (request === "webgpu") {
    if (missing) return { kind: "cpu", reason: `WebGPU was asked for, but ${missing}` };
    const kind = device.adapter?.software ? "software adapter" : "adapter";
    return { kind: "webgpu", reason: `asked for by the page (${kind} ${device.adapter?.name ?? ""})` };
  }
  if (device.saveData) {
    return { kind: "none", reason: "the browser is set to save data, so the model is not downloaded" };
  }
  if (device.memory !== null && bytes > device.memory / 2) {
    const [needed, there] = [bytes, device.memory].map((size) => `${(size / 1e9).toFixed(1)} GB`);
    return { kind: "none", reason: `this device has ${there} of memory, too little for a model of ${needed}` };
  }
  if (missing) return { kind: "cpu", reason: missing };
  if (device.adapter?.software) {
    return { kind: "cpu", reason: `the only GPU adapter is software (${device.adapter.name}), which is slower` };
  }
  return { kind: "webgpu", reason: `GPU found: ${device.adapter?.name ?? "unnamed"}` };
}
