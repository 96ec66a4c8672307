// Checks that the backend is chosen as the design says, for every kind of device; no browser needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./source.mjs";

const { choose, probe } = await load("engine/ladder.ts");

const GIB = 2 ** 30;
const MODEL = 0.6 * GIB;
const none = { webgpu: false, adapter: null, saveData: false, memory: null };
const gpu = { ...none, webgpu: true, adapter: { name: "Some GPU", software: false, subgroups: true } };
const software = { ...none, webgpu: true, adapter: { name: "SwiftShader", software: true, subgroups: true } };
const cases = [
  ["auto", gpu, "webgpu", /Some GPU/],
  ["auto", none, "cpu", /no WebGPU/],
  ["auto", { ...gpu, adapter: null }, "cpu", /no GPU adapter/],
  ["auto", software, "cpu", /software.*SwiftShader/],
  ["auto", { ...gpu, saveData: true }, "none", /save data/],
  ["auto", { ...gpu, memory: GIB }, "none", /1\.1 GB of memory, too little for a model of 0\.6 GB/],
  ["auto", { ...none, memory: GIB }, "none", /memory/],
  ["auto", { ...gpu, memory: 2 * GIB }, "webgpu", /Some GPU/],
  ["webgpu", { ...gpu, memory: GIB }, "webgpu", /asked for/],
  ["cpu", { ...gpu, memory: GIB }, "cpu", /asked for/],
  ["webgpu", software, "webgpu", /asked for.*software/],
  ["webgpu", none, "cpu", /asked for, but.*no WebGPU/],
  ["webgpu", { ...gpu, saveData: true }, "webgpu", /asked for/],
  ["cpu", gpu, "cpu", /asked for/],
];
for (const [request, device, kind, reason] of cases) {
  test(`${request} on ${JSON.stringify(device)} gives ${kind}`, () => {
    const choice = choose(request, device, MODEL);
    assert.equal(choice.kind, kind);
    assert.match(choice.reason, reason);
  });
}

const adapter = (info, more = {}) => ({ navigator: { gpu: { requestAdapter: async () => ({ info, ...more }) } } });
const blank = { vendor: "", architecture: "", device: "", description: "" };

test("knows a software adapter by its flag, its old flag, or its name", async () => {
  assert.equal((await probe(adapter({ ...blank, isFallbackAdapter: true }))).adapter.software, true);
  assert.equal((await probe(adapter(blank, { isFallbackAdapter: true }))).adapter.software, true);
  assert.equal((await probe(adapter({ ...blank, vendor: "google", architecture: "swiftshader" }))).adapter.software, true);
  assert.equal((await probe(adapter({ ...blank, description: "llvmpipe (LLVM 15)" }))).adapter.software, true);
  assert.equal((await probe(adapter({ ...blank, vendor: "nvidia", architecture: "ampere" }))).adapter.software, false);
});

test("takes a browser that fails to answer for one without an adapter", async () => {
  const refuses = { navigator: { gpu: { requestAdapter: () => Promise.reject(new Error("no")) } } };
  assert.deepEqual(await probe(refuses), { ...none, webgpu: true });
  assert.deepEqual(await probe({ navigator: {} }), none);
  assert.equal((await probe({ navigator: { connection: { saveData: true } } })).saveData, true);
});

test("knows subgroups, and memory where the device has little", async () => {
  assert.equal((await probe(adapter(blank, { features: new Set(["subgroups"]) }))).adapter.subgroups, true);
  assert.equal((await probe(adapter(blank, { features: new Set() }))).adapter.subgroups, false);
  assert.equal((await probe({ navigator: { deviceMemory: 0.5 } })).memory, GIB / 2);
  assert.equal((await probe({ navigator: { deviceMemory: 8 } })).memory, null, "8 stands for any more");
});
