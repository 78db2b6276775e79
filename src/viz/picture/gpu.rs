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
    CachedRenderPipelineId, ColorTargetState, ColorWrites, FragmentState, PipelineCache, PrimitiveState,
    PrimitiveTopology, RawBufferVec, RenderPipelineDescriptor, ShaderStages, ShaderType,
    SpecializedRenderPipeline, SpecializedRenderPipelines, UniformBuffer, VertexFormat, VertexState,
    VertexStepMode,
};
use bevy::render::renderer::{RenderDevice, RenderQueue};
use bevy::render::sync_world::RenderEntity;
use bevy::shader::Shader;
use bevy_egui::egui::PaintCallbackInfo;
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
    /// The pane is centred where egui has it, to a fraction of a pixel, though its viewport begins at a whole one.
    fn sight(&self, info: &PaintCallbackInfo) -> Sight {
        let pixels = info.viewport_in_pixels();
        let centre = info.viewport.center() * info.pixels_per_point;
        Sight {
            middle: Vec2::new(self.middle.0, self.middle.1),
            centre: Vec2::new(centre.x - pixels.left_px as f32, centre.y - pixels.top_px as f32),
            size: Vec2::new(pixels.width_px as f32, pixels.height_px as f32),
            zoom: self.zoom * info.pixels_per_point,
            pixels_per_point: info.pixels_per_point,
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
        // Four corners each.
        pass.draw(0..4, 0..u32::try_from(pane.dots.len()).unwrap_or(u32::MAX));
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
            primitive: PrimitiveState {
                topology: PrimitiveTopology::TriangleStrip,
                ..PrimitiveState::default()
            },
            ..RenderPipelineDescriptor::default()
        }
    }
}
