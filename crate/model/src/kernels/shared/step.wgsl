// The tokens to run, and the layout of this step's operands: each step declares its own `Params`.
#import shared/batch
#import shared/params

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<uniform> params: Params;
