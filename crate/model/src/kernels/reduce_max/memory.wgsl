// The largest of a workgroup's 64 scores.
#import shared/cache

var<workgroup> place_scores: array<f32, TILE_PLACES>;

fn over_places_max(lane: u32, subgroup_size: u32, score: f32) -> f32 {
    place_scores[lane] = score;
    workgroupBarrier();
    var largest = score;
    for (var i = 0u; i < TILE_PLACES; i++) {
        largest = max(largest, place_scores[i]);
    }
    return largest;
}
