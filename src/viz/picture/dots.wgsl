// Draws a disc for every dot. Its position is computed from where and when it leaves and arrives. Dot::at in dots.rs
// has the same formula, which tests compare with the simulation. Times are seconds relative to the time shown.

struct ViewUniform {
    // The layout point in the middle of the pane, and its position in the pane, in pixels.
    middle: vec2<f32>,
    centre: vec2<f32>,
    // Width and height of the pane, in pixels.
    size: vec2<f32>,
    // Pixels per layout unit, and per screen point.
    zoom: f32,
    pixels_per_point: f32,
}

@group(0) @binding(0) var<uniform> view: ViewUniform;

struct Dot {
    // Layout units, y upwards.
    @location(0) origin: vec2<f32>,
    @location(1) goal: vec2<f32>,
    // When it leaves and when it arrives.
    @location(2) times: vec2<f32>,
    // Offset of the end of its path from the straight line.
    @location(3) bend: f32,
    // Screen points.
    @location(4) radius: f32,
    // sRGB, premultiplied by alpha, as in egui.
    @location(5) colour: vec4<f32>,
}

struct Corner {
    @builtin(position) position: vec4<f32>,
    // Offset from the centre of the disc, in pixels.
    @location(0) offset: vec2<f32>,
    @location(1) @interpolate(flat) radius: f32,
    @location(2) @interpolate(flat) colour: vec4<f32>,
}

@vertex
fn vertex(@builtin(vertex_index) index: u32, dot: Dot) -> Corner {
    let duration = dot.times.y - dot.times.x;
    var share = 1.0;
    if duration > 0.0 {
        share = clamp(-dot.times.x / duration, 0.0, 1.0);
    }
    var at = mix(dot.origin, dot.goal, share);
    at.y += dot.bend * share * share;
    let middle = view.centre + (at - view.middle) * vec2<f32>(view.zoom, -view.zoom);
    let radius = dot.radius * view.pixels_per_point;
    // The smallest triangle around the disc, one pixel larger for the soft edge. A square would take two triangles.
    let width = 1.7320508 * (f32(index & 1u) * 2.0 - 1.0);
    let corner = select(vec2<f32>(width, -1.0), vec2<f32>(0.0, 2.0), index == 2u);
    let offset = corner * (radius + 1.0);
    let clip = (middle + offset) / view.size * 2.0 - 1.0;
    return Corner(vec4<f32>(clip.x, -clip.y, 0.0, 1.0), offset, radius, dot.colour);
}

fn linear_from_gamma(srgb: vec3<f32>) -> vec3<f32> {
    let low = srgb / 12.92;
    let high = pow((srgb + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, low, srgb < vec3<f32>(0.04045));
}

@fragment
fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    let cover = clamp(corner.radius + 0.5 - length(corner.offset), 0.0, 1.0);
    if cover <= 0.0 {
        discard;
    }
    // Edges are blended in gamma space, as in egui's own shader.
    let colour = corner.colour * cover;
    return vec4<f32>(linear_from_gamma(colour.rgb), colour.a);
}
