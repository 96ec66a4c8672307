// Turns what the device offers and what was asked for into the backend that generates, before anything large is fetched.
import type { BackendRequest } from "./protocol.js";

/** What is asked of the device; gathered by `probe`, or written by hand in a test. */
export interface Device {
  /** `navigator.gpu` exists. */
  readonly webgpu: boolean;
  /** The adapter, or null when the browser has the interface but no adapter to give. */
  readonly adapter: { readonly name: string; readonly software: boolean } | null;
  /** The reader asked the browser to save data. */
  readonly saveData: boolean;
}

/** The decision, with a reason that the page shows as it stands. */
export type Choice =
  | { readonly kind: "webgpu" | "cpu"; readonly reason: string }
  | { readonly kind: "none"; readonly reason: string };

/** Names that software implementations of WebGPU give themselves. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|basic render|software/i;

/** Asks the device. Never throws: a browser that fails to answer has no adapter. */
export async function probe(scope: { readonly navigator: unknown }): Promise<Device> {
  const navigator = scope.navigator as {
    readonly gpu?: GPU;
    readonly connection?: { readonly saveData?: boolean };
  };
  const saveData = navigator.connection?.saveData === true;
  if (!navigator.gpu) return { webgpu: false, adapter: null, saveData };
  try {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) return { webgpu: true, adapter: null, saveData };
    const { vendor, architecture, device, description } = adapter.info;
    const name = description || [vendor, architecture, device].filter(Boolean).join(" ") || "GPU";
    // Older browsers put the flag on the adapter instead of its description.
    const flagged =
      (adapter.info as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true ||
      (adapter as { readonly isFallbackAdapter?: boolean }).isFallbackAdapter === true;
    const software = flagged || SOFTWARE.test(`${name} ${vendor} ${architecture}`);
    return { webgpu: true, adapter: { name, software }, saveData };
  } catch {
    return { webgpu: true, adapter: null, saveData };
  }
}

/**
 * Chooses where to generate.
 *
 * A software adapter is slower than our own CPU kernels, so it is taken only when asked for by name. A reader
 * who saves data gets search and quotations without the model, unless the page asks for a backend by name.
 */
export function choose(request: BackendRequest, device: Device): Choice {
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
  if (missing) return { kind: "cpu", reason: missing };
  if (device.adapter?.software) {
    return { kind: "cpu", reason: `the only GPU adapter is software (${device.adapter.name}), which is slower` };
  }
  return { kind: "webgpu", reason: `GPU found: ${device.adapter?.name ?? "unnamed"}` };
}
