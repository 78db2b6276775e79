//! One draw for all dots of a pane: their list goes to the GPU, which computes where each of them is.
//!
//! A paint callback of egui's, so that dots are clipped to their pane and lie above the boxes and below what egui paints
//! after them. Buffers stay from frame to frame, one for each pane. Where there is no GPU nothing of this is called.

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

/// Brings the shader and keeps the buffers. Needs Bevy's renderer.
#[derive(Clone, Copy, Debug, Default)]
pub struct DotsPlugin;

impl Plugin for DotsPlugin {
    fn build(&self, app: &mut App) {
        let Some(mut shaders) = app.world_mut().get_resource_mut::<Assets<Shader>>() else { return };
        let shader = shaders.add(Shader::from_wgsl(include_str!("dots.wgsl"), "picture/dots.wgsl"));
        let Some(renderer) = app.get_sub_app_mut(RenderApp) else { return };
        let entries = BindGroupLayoutEntries::single(ShaderStages::VERTEX, uniform_buffer::<Sight>(false));
        let layout = BindGroupLayoutDescriptor::new("dots", &entries);
        renderer
            .insert_resource(Discs { shader, layout })
            .init_resource::<SpecializedRenderPipelines<Discs>>()
            .init_resource::<Panes>();
    }
}

/// All dots of a pane, on their way to the GPU.
pub(super) struct Cloud {
    /// Which of the panes: each has buffers of its own.
    pub(super) pane: usize,
    /// The dots.
    pub(super) dots: Vec<Dot>,
    /// Points of the screen a unit of the layout.
    pub(super) zoom: f32,
    /// The point of the layout in the middle of the pane.
    pub(super) middle: (f32, f32),
    /// Where that point is on the screen.
    pub(super) centre: Pos2,
}

/// How the layout lies in the pane: what the shader calls `Sight`.
#[derive(Clone, Copy, Debug, Default, ShaderType)]
struct Sight {
    middle: Vec2,
    centre: Vec2,
    size: Vec2,
    zoom: f32,
    pixels_per_point: f32,
}

/// The pipeline that paints discs.
#[derive(Resource)]
struct Discs {
    shader: Handle<Shader>,
    layout: BindGroupLayoutDescriptor,
}

/// The buffers of every pane.
#[derive(Resource, Default)]
struct Panes(Vec<Pane>);

struct Pane {
    dots: RawBufferVec<[u32; WORDS]>,
    sight: UniformBuffer<Sight>,
    group: Option<BindGroup>,
    pipeline: CachedRenderPipelineId,
}

impl Default for Pane {
    fn default() -> Self {
        Self {
            dots: RawBufferVec::new(BufferUsages::VERTEX),
            sight: UniformBuffer::default(),
            group: None,
            pipeline: CachedRenderPipelineId::INVALID,
        }
    }
}

impl Cloud {
    /// The viewport begins and ends at whole pixels, as the renderer rounds it; the picture is where egui has it, to a
    /// fraction of one. The size of the screen is not known here, so that a pane must not reach beyond it.
    fn sight(&self, info: &PaintCallbackInfo) -> Sight {
        let scale = info.pixels_per_point;
        let [min, max] = [info.viewport.min, info.viewport.max].map(|at| (at.to_vec2() * scale).round());
        let (centre, size) = (self.centre.to_vec2() * scale - min, max - min);
        Sight {
            middle: Vec2::new(self.middle.0, self.middle.1),
            centre: Vec2::new(centre.x, centre.y),
            size: Vec2::new(size.x, size.y),
            zoom: self.zoom * scale,
            pixels_per_point: scale,
        }
    }
}

impl EguiBevyPaintCallbackImpl for Cloud {
    fn update(&self, info: PaintCallbackInfo, _: RenderEntity, key: EguiPipelineKey, world: &mut World) {
        world.resource_scope(|world, mut panes: Mut<'_, Panes>| {
            let more = panes.0.len().max(self.pane + 1);
            panes.0.resize_with(more, Pane::default);
            let pane = &mut panes.0[self.pane];
            pane.pipeline =
                world.resource_scope(|world, mut pipelines: Mut<'_, SpecializedRenderPipelines<Discs>>| {
                    pipelines.specialize(world.resource::<PipelineCache>(), world.resource::<Discs>(), key)
                });
            // Once: it is there from then on. Else the first picture had no dots.
            world.resource_mut::<PipelineCache>().block_on_render_pipeline(pane.pipeline);
            let (device, queue) = (world.resource::<RenderDevice>(), world.resource::<RenderQueue>());
            pane.dots.clear();
            pane.dots.extend(self.dots.iter().map(Dot::words));
            pane.dots.write_buffer(device, queue);
            pane.sight.set(self.sight(&info));
            pane.sight.write_buffer(device, queue);
            if pane.group.is_none()
                && let Some(binding) = pane.sight.binding()
            {
                let layout = &world.resource::<Discs>().layout;
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
        // A triangle each.
        pass.draw(0..3, 0..u32::try_from(pane.dots.len()).unwrap_or(u32::MAX));
    }
}

impl SpecializedRenderPipeline for Discs {
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
            "a dot is what the shader reads"
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

    /// Width of each half of the picture, and its height.
    const SIDE: f32 = 200.0;

    #[derive(Resource, Default)]
    struct Taken(Option<Image>);

    /// Discs as they are wanted: the middle in units of the layout, the radius, and the colour.
    fn discs() -> Vec<([f32; 2], f32, Color32)> {
        let [a, b, c] = [SERIES[0], SERIES[1].gamma_multiply(0.25), SERIES[4].gamma_multiply(0.9)];
        let large = [([-60.0, 50.0], 21.0, a), ([10.5, 40.25], 18.0, b), ([-20.0, -40.0], 12.0, c)];
        // Half of this one is outside of the pane.
        large.into_iter().chain([([-100.0, 0.0], 9.0, a), ([60.0, -60.0], 3.6, a)]).collect()
    }

    /// On the left what egui paints, on the right what the GPU computes; both on the same ground.
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
            // A third of a way that is bent.
            let (origin, goal, bend) = ([x - 30.0, y + 10.0], [x + 60.0, y - 110.0], 270.0);
            Dot { origin, goal, left: -1.0, arrives: 2.0, bend, radius, colour }
        };
        let dots: Vec<Dot> = discs().into_iter().map(dot).collect();
        for (dot, (at, ..)) in dots.iter().zip(discs()) {
            assert!((dot.at()[0] - at[0]).abs() + (dot.at()[1] - at[1]).abs() < 1e-3, "{dot:?} for {at:?}");
        }
        let cloud = Cloud { pane: 1, dots, zoom: 1.0, middle: (0.0, 0.0), centre: panes[1].center() };
        painter.with_clip_rect(panes[1]).add(EguiBevyPaintCallback::new_paint_callback(panes[1], cloud));
        Ok(())
    }

    #[test]
    #[ignore = "needs a Vulkan driver; .ci/run installs one that needs no GPU and runs this"]
    fn discs_of_the_gpu_look_like_those_of_egui() {
        let (mut app, image) = offscreen::app((400, 200));
        app.init_resource::<Taken>().add_systems(EguiPrimaryContextPass, paint);
        offscreen::begin(&mut app);
        (0..4).for_each(|_| app.update());
        let take = |taken: On<'_, '_, ScreenshotCaptured>, mut to: ResMut<'_, Taken>| {
            to.0 = Some(taken.image.clone());
        };
        app.world_mut().spawn(Screenshot::image(image)).observe(take);
        (0..8).for_each(|_| app.update());
        let picture = app.world_mut().resource_mut::<Taken>().0.take().expect("a picture was taken");
        let pixels = picture.data.expect("it has pixels");
        let row = |y: usize| &pixels[1_600 * y..1_600 * (y + 1)];
        let (mut differ, mut most, mut sums) = (0_usize, 0, [0_u64; 2]);
        for y in 0..200 {
            let (left, right) = row(y).split_at(800);
            sums = [sums[0] + total(left), sums[1] + total(right)];
            for (a, b) in left.iter().zip(right).map(|(a, b)| (*a, *b)) {
                most = most.max(a.abs_diff(b));
                differ += usize::from(a.abs_diff(b) > 2);
            }
        }
        // The half disc at the border of its pane does not reach into the other one.
        assert_eq!(row(100)[4 * 195..4 * 200], row(20)[4 * 195..4 * 200]);
        let lit = sums[0] - total(&[0x12, 0x16, 0x1d, 255]) * 40_000;
        assert!(lit > 100_000, "egui painted discs: {lit}");
        // Edges: egui's discs are polygons with a soft border. Some 400 pixels lie on edges, with three colours each; 500 of
        // these were seen to differ. Where a disc is whole, and beside it, there is no difference.
        assert!(differ < 700 && most < 90, "{differ} differ, by {most} at most");
        let off = sums[0].abs_diff(sums[1]) as f64 / lit as f64;
        assert!(off < 0.002, "as much light, but for {off}");
    }

    fn total(bytes: &[u8]) -> u64 {
        bytes.iter().map(|byte| u64::from(*byte)).sum()
    }
}
