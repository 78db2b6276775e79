//! Draws all dots of a pane in one call: the list of dots goes to the GPU, which computes their positions.
//!
//! This is a paint callback of egui, so that the dots are clipped to their pane, above the boxes and below everything
//! that egui paints later. Each pane keeps its buffers between frames. Without a GPU none of this is called.

use bevy::app::{App, Plugin};
use bevy::asset::{Assets, Handle};
use bevy::ecs::resource::Resource;
use bevy::ecs::world::{Mut, World};
use bevy::math::Vec2;
use bevy::mesh::VertexBufferLayout;
use bevy::render::RenderApp;
use bevy::render::render_phase::TrackedRenderPass;
use bevy::render::render_resource::binding_types::uniform_buffer;
use bevy::render::render_resource::{
    BindGroup, BindGroupEntries, BindGroupLayoutDescriptor, BindGroupLayoutEntries, BlendState, BufferUsages,
    CachedRenderPipelineId, ColorTargetState, ColorWrites, FragmentState, PipelineCache, RawBufferVec,
    RenderPipelineDescriptor, ShaderStages, ShaderType, SpecializedRenderPipeline,
    SpecializedRenderPipelines, UniformBuffer, VertexFormat, VertexState, VertexStepMode,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};
use bevy::render::sync_world::RenderEntity;
use bevy::shader::Shader;
use bevy_egui::egui::{PaintCallbackInfo, Pos2};
use bevy_egui::render::{EguiBevyPaintCallbackImpl, EguiPipelineKey};

use super::dots::{Dot, WORDS};

/// Adds the shader and the GPU buffers of the dots. Does nothing without Bevy's renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct DotsPlugin;

impl Plugin for DotsPlugin {
    fn build(&self, app: &mut App) {
        let Some(mut shaders) = app.world_mut().get_resource_mut::<Assets<Shader>>() else { return };
        let shader = shaders.add(Shader::from_wgsl(include_str!("dots.wgsl"), "picture/dots.wgsl"));
        let Some(renderer) = app.get_sub_app_mut(RenderApp) else { return };
        let entries =
            BindGroupLayoutEntries::single(ShaderStages::VERTEX, uniform_buffer::<ViewUniform>(false));
        let layout = BindGroupLayoutDescriptor::new("dots", &entries);
        renderer
            .insert_resource(DotPipeline { shader, layout })
            .init_resource::<SpecializedRenderPipelines<DotPipeline>>()
            .init_resource::<Panes>();
    }
}

/// The paint callback that draws all dots of a pane.
pub(super) struct DotsCallback {
    /// The number of the pane. Each pane has its own buffers.
    pub(super) pane: usize,
    /// The dots.
    pub(super) dots: Vec<Dot>,
    /// Screen points per layout unit.
    pub(super) zoom: f32,
    /// The layout point in the middle of the pane.
    pub(super) middle: (f32, f32),
    /// The screen position of that point.
    pub(super) centre: Pos2,
}

/// The mapping from layout units to pixels. Must match `ViewUniform` in `dots.wgsl`.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
struct ViewUniform {
    middle: Vec2,
    centre: Vec2,
    size: Vec2,
    zoom: f32,
    pixels_per_point: f32,
}

/// The render pipeline that draws each dot as a disc.
#[derive(Resource)]
struct DotPipeline {
    shader: Handle<Shader>,
    layout: BindGroupLayoutDescriptor,
}

/// The buffers of all panes.
#[derive(Resource, Default)]
struct Panes(Vec<Pane>);

/// The GPU buffers of a pane.
struct Pane {
    dots: RawBufferVec<[u32; WORDS]>,
    view: UniformBuffer<ViewUniform>,
    group: Option<BindGroup>,
    pipeline: CachedRenderPipelineId,
}

impl Default for Pane {
    fn default() -> Self {
        Self {
            dots: RawBufferVec::new(BufferUsages::VERTEX),
            view: UniformBuffer::default(),
            group: None,
            pipeline: CachedRenderPipelineId::INVALID,
        }
    }
}

impl DotsCallback {
    /// The mapping for a viewport. The renderer rounds the viewport to whole pixels, but the picture keeps its exact
    /// position. The viewport must not extend beyond the screen, whose size is not known here.
    fn view(&self, info: &PaintCallbackInfo) -> ViewUniform {
        let scale = info.pixels_per_point;
        let [min, max] = [info.viewport.min, info.viewport.max].map(|at| (at.to_vec2() * scale).round());
        let (centre, size) = (self.centre.to_vec2() * scale - min, max - min);
        ViewUniform {
            middle: Vec2::new(self.middle.0, self.middle.1),
            centre: Vec2::new(centre.x, centre.y),
            size: Vec2::new(size.x, size.y),
            zoom: self.zoom * scale,
            pixels_per_point: scale,
        }
    }
}

impl EguiBevyPaintCallbackImpl for DotsCallback {
    fn update(&self, info: PaintCallbackInfo, _: RenderEntity, key: EguiPipelineKey, world: &mut World) {
        world.resource_scope(|world, mut panes: Mut<'_, Panes>| {
            let count = panes.0.len().max(self.pane + 1);
            panes.0.resize_with(count, Pane::default);
            let pane = &mut panes.0[self.pane];
            pane.pipeline = world.resource_scope(
                |world, mut pipelines: Mut<'_, SpecializedRenderPipelines<DotPipeline>>| {
                    pipelines.specialize(
                        world.resource::<PipelineCache>(),
                        world.resource::<DotPipeline>(),
                        key,
                    )
                },
            );
            // Blocks only the first time. Otherwise the first frame would have no dots.
            world.resource_mut::<PipelineCache>().block_on_render_pipeline(pane.pipeline);
            let (device, queue) = (world.resource::<RenderDevice>(), world.resource::<RenderQueue>());
            pane.dots.clear();
            pane.dots.extend(self.dots.iter().map(Dot::words));
            pane.dots.write_buffer(device, queue);
            pane.view.set(self.view(&info));
            pane.view.write_buffer(device, queue);
            if pane.group.is_none()
                && let Some(binding) = pane.view.binding()
            {
                let layout = &world.resource::<DotPipeline>().layout;
                let layout = world.resource::<PipelineCache>().get_bind_group_layout(layout);
                let entries = BindGroupEntries::single(binding);
                pane.group = Some(device.create_bind_group("dots", &layout, &entries));
            }
        });
    }

    fn render<'pass>(
        &self,
        _: PaintCallbackInfo,
        pass: &mut TrackedRenderPass<'pass>,
        _: RenderEntity,
        _: EguiPipelineKey,
        world: &'pass World,
    ) {
        let Some(pane) = world.resource::<Panes>().0.get(self.pane) else { return };
        let pipeline = world.resource::<PipelineCache>().get_render_pipeline(pane.pipeline);
        let (Some(pipeline), Some(group), Some(dots)) = (pipeline, &pane.group, pane.dots.buffer()) else {
            return;
        };
        pass.set_render_pipeline(pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.set_vertex_buffer(0, dots.slice(..));
        // One triangle per dot.
        pass.draw(0..3, 0..u32::try_from(pane.dots.len()).unwrap_or(u32::MAX));
    }
}

impl SpecializedRenderPipeline for DotPipeline {
    type Key = EguiPipelineKey;

    fn specialize(&self, key: Self::Key) -> RenderPipelineDescriptor {
        let formats = [
            VertexFormat::Float32x2, // origin
            VertexFormat::Float32x2, // goal
            VertexFormat::Float32x2, // times
            VertexFormat::Float32,   // bend
            VertexFormat::Float32,   // radius
            VertexFormat::Unorm8x4,  // colour
        ];
        let dots = VertexBufferLayout::from_vertex_formats(VertexStepMode::Instance, formats);
        debug_assert_eq!(
            dots.array_stride,
            size_of::<[u32; WORDS]>() as u64,
            "the vertex formats add up to the words of a dot"
        );
        RenderPipelineDescriptor {
            label: Some("dots".into()),
            layout: vec![self.layout.clone()],
            vertex: VertexState {
                shader: self.shader.clone(),
                shader_defs: Vec::new(),
                entry_point: Some("vertex".into()),
                buffers: vec![dots],
            },
            fragment: Some(FragmentState {
                shader: self.shader.clone(),
                shader_defs: Vec::new(),
                entry_point: Some("fragment".into()),
                targets: vec![Some(ColorTargetState {
                    format: key.target_format,
                    blend: Some(BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                    write_mask: ColorWrites::ALL,
                })],
            }),
            ..RenderPipelineDescriptor::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use bevy::prelude::{Image, On, ResMut, Resource};
    use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
    use bevy_egui::egui::{Color32, LayerId, Rect, pos2, vec2};
    use bevy_egui::render::EguiBevyPaintCallback;
    use bevy_egui::{EguiContexts, EguiPrimaryContextPass};

    use super::*;
    use crate::viz::offscreen;
    use crate::viz::theme::{SERIES, Theme};

    /// Width and height of each pane of the test image.
    const SIDE: f32 = 200.0;

    #[derive(Resource, Default)]
    struct Captured(Option<Image>);

    /// The discs to paint: centre in layout units, radius, and colour.
    fn discs() -> Vec<([f32; 2], f32, Color32)> {
        let [a, b, c] = [SERIES[0], SERIES[1].gamma_multiply(0.25), SERIES[4].gamma_multiply(0.9)];
        let large = [([-60.0, 50.0], 21.0, a), ([10.5, 40.25], 18.0, b), ([-20.0, -40.0], 12.0, c)];
        // Half of the first one is outside of the pane.
        large.into_iter().chain([([-100.0, 0.0], 9.0, a), ([60.0, -60.0], 3.6, a)]).collect()
    }

    /// Paints the discs with egui in the left pane, and with the dot pipeline in the right pane.
    fn paint(mut contexts: EguiContexts<'_, '_>) -> bevy::prelude::Result {
        let context = contexts.ctx_mut()?;
        let painter = context.layer_painter(LayerId::background());
        let panes = [0.0, SIDE].map(|left| Rect::from_min_size(pos2(left, 0.0), vec2(SIDE, SIDE)));
        for pane in panes {
            painter.rect_filled(pane, 0.0, Theme::DARK.ground);
        }
        for ([x, y], radius, colour) in discs() {
            painter.with_clip_rect(panes[0]).circle_filled(panes[0].center() + vec2(x, -y), radius, colour);
        }
        let dot = |([x, y], radius, colour): ([f32; 2], f32, Color32)| {
            // At a third of a bent path.
            let (origin, goal, bend) = ([x - 30.0, y + 10.0], [x + 60.0, y - 110.0], 270.0);
            Dot { origin, goal, left: -1.0, arrives: 2.0, bend, radius, colour }
        };
        let dots: Vec<Dot> = discs().into_iter().map(dot).collect();
        for (dot, (at, ..)) in dots.iter().zip(discs()) {
            assert!((dot.at()[0] - at[0]).abs() + (dot.at()[1] - at[1]).abs() < 1e-3, "{dot:?} for {at:?}");
        }
        let callback =
            DotsCallback { pane: 1, dots, zoom: 1.0, middle: (0.0, 0.0), centre: panes[1].center() };
        painter.with_clip_rect(panes[1]).add(EguiBevyPaintCallback::new_paint_callback(panes[1], callback));
        Ok(())
    }

    #[test]
    #[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
    fn discs_of_the_dot_pipeline_look_like_those_of_egui() {
        let (mut app, image) = offscreen::app((400, 200));
        app.init_resource::<Captured>().add_systems(EguiPrimaryContextPass, paint);
        offscreen::begin(&mut app);
        (0..4).for_each(|_| app.update());
        let store = |screenshot: On<'_, '_, ScreenshotCaptured>, mut captured: ResMut<'_, Captured>| {
            captured.0 = Some(screenshot.image.clone());
        };
        app.world_mut().spawn(Screenshot::image(image)).observe(store);
        (0..8).for_each(|_| app.update());
        let picture = app.world_mut().resource_mut::<Captured>().0.take().expect("an image was captured");
        let pixels = picture.data.expect("the image has pixels");
        let row = |y: usize| &pixels[1_600 * y..1_600 * (y + 1)];
        let (mut differing, mut max, mut sums) = (0_usize, 0, [0_u64; 2]);
        for y in 0..200 {
            let (left, right) = row(y).split_at(800);
            sums = [sums[0] + total(left), sums[1] + total(right)];
            for (a, b) in left.iter().zip(right).map(|(a, b)| (*a, *b)) {
                max = max.max(a.abs_diff(b));
                differing += usize::from(a.abs_diff(b) > 2);
            }
        }
        // The half disc at the left border of the right pane does not extend into the left pane.
        assert_eq!(row(100)[4 * 195..4 * 200], row(20)[4 * 195..4 * 200]);
        let lit = sums[0] - total(&[0x12, 0x16, 0x1d, 255]) * 40_000;
        assert!(lit > 100_000, "egui painted no discs: {lit}");
        // egui paints discs as polygons with a soft border, so edges differ. About 400 pixels are on edges, with three
        // colour channels each, of which 500 were measured to differ. Inside and outside of the discs nothing differs.
        assert!(differing < 700 && max < 90, "{differing} channels differ, by at most {max}");
        let difference = sums[0].abs_diff(sums[1]) as f64 / lit as f64;
        assert!(difference < 0.002, "the total brightness differs by {difference}");
    }

    fn total(bytes: &[u8]) -> u64 {
        bytes.iter().map(|byte| u64::from(*byte)).sum()
    }
}
