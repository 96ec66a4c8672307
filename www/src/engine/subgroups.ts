// Turns a worker's GPU adapters into ones whose devices have the feature `subgroups` wherever the adapter offers it.

/**
 * Makes every request for a device ask for subgroups too. wgpu can't: its table of features for browsers has no entry for
 * them. Shaders reach the browser unchanged, so a device with the feature is all that is missing.
 */
export function requestSubgroups(): void {
  if (typeof GPUAdapter === "undefined") return;
  const { requestDevice } = GPUAdapter.prototype;
  GPUAdapter.prototype.requestDevice = function (descriptor) {
    if (!this.features.has("subgroups")) return requestDevice.call(this, descriptor);
    const requiredFeatures: GPUFeatureName[] = [...(descriptor?.requiredFeatures ?? []), "subgroups"];
    return requestDevice.call(this, { ...descriptor, requiredFeatures });
  };
}
