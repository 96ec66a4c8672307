// The largest of a workgroup's 64 scores: within each subgroup by one instruction, across subgroups through memory.
#import shared/cache

var<workgroup> place_scores: array<f32, TILE_PLACES>;

fn over_places_max(lane: u32, subgroup_size: u32, score: f32) -> f32 {
    var largest = subgroupMax(score);
    place_scores[lane] = largest;
    workgroupBarrier();
    for (var i = 0u; i < TILE_PLACES; i += subgroup_size) {
        largest = max(largest, place_scores[i]);
    }
    return largest;
}
