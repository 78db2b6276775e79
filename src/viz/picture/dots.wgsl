// A disc for every request on its way. Where it is, is computed here from where and when it left and will arrive: the same
// formula is in dots.rs, which a test holds against the simulation. Times are seconds from the moment that is shown.

struct Sight {
    // The point of the layout in the middle of the pane, and that point in the pane, in pixels.
    middle: vec2<f32>,
    centre: vec2<f32>,
    // Width and height of the pane, in pixels.
    size: vec2<f32>,
    // Pixels a unit of the layout, and a point of the screen.
    zoom: f32,
    pixels_per_point: f32,
}

@group(0) @binding(0) var<uniform> sight: Sight;

struct Dot {
    // Units of the layout, upwards.
    @location(0) origin: vec2<f32>,
    @location(1) goal: vec2<f32>,
    // When it left and when it arrives.
    @location(2) times: vec2<f32>,
    // How far above or below the straight line the end of its way is bent.
    @location(3) bend: f32,
    // In points.
    @location(4) radius: f32,
    // As egui has it: sRGB, multiplied by the opacity.
    @location(5) colour: vec4<f32>,
}

struct Corner {
    @builtin(position) position: vec4<f32>,
    // From the middle of the disc, in pixels.
    @location(0) away: vec2<f32>,
    @location(1) @interpolate(flat) radius: f32,
    @location(2) @interpolate(flat) colour: vec4<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) index: u32, dot: Dot) -> Corner {
    let whole = dot.times.y - dot.times.x;
    var share = 1.0;
    if whole > 0.0 {
        share = clamp(-dot.times.x / whole, 0.0, 1.0);
    }
    var at = mix(dot.origin, dot.goal, share);
    at.y += dot.bend * share * share;
    let middle = sight.centre + (at - sight.middle) * vec2<f32>(sight.zoom, -sight.zoom);
    let radius = dot.radius * sight.pixels_per_point;
    // The smallest triangle around the disc: one to set up where a square has two. A pixel more, for the soft edge.
    let width = 1.7320508 * (f32(index & 1u) * 2.0 - 1.0);
    let corner = select(vec2<f32>(width, -1.0), vec2<f32>(0.0, 2.0), index == 2u);
    let away = corner * (radius + 1.0);
    let clip = (middle + away) / sight.size * 2.0 - 1.0;
    return Corner(vec4<f32>(clip.x, -clip.y, 0.0, 1.0), away, radius, dot.colour);
}

fn linear_from_gamma(srgb: vec3<f32>) -> vec3<f32> {
    let low = srgb / 12.92;
    let high = pow((srgb + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, low, srgb < vec3<f32>(0.04045));
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    let cover = clamp(corner.radius + 0.5 - length(corner.away), 0.0, 1.0);
    if cover <= 0.0 {
        discard;
    }
    // Like egui's own shader: edges are softened in gamma space.
    let colour = corner.colour * cover;
    return vec4<f32>(linear_from_gamma(colour.rgb), colour.a);
}
