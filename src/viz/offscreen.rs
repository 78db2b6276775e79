//! Bevy without a window and without a loop: `App::update` paints a frame into an image.

use bevy::app::PluginsState;
use bevy::camera::RenderTarget;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::RenderDevice;
use bevy::render::{Render, RenderApp, RenderSystems};
use bevy::tasks::tick_global_task_pools_on_main_thread;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_egui::{EguiGlobalSettings, EguiPlugin, PrimaryEguiContext};

use super::app::Quiet;
use super::picture::DotsPlugin;

/// An app that paints egui into an image of `size` pixels. Add the systems that paint before the first frame.
pub(super) fn app(size: (u32, u32)) -> (App, Handle<Image>) {
    let mut app = App::new();
    let no_window =
        WindowPlugin { primary_window: None, exit_condition: ExitCondition::DontExit, ..default() };
    // Otherwise the first frames lack everything whose pipeline is still being compiled.
    let synchronous = RenderPlugin { synchronous_pipeline_compilation: true, ..default() };
    app.add_plugins(Quiet::plugins().set(no_window).set(synchronous).disable::<WinitPlugin>());
    app.add_plugins((EguiPlugin::default(), DotsPlugin));
    app.world_mut().resource_mut::<EguiGlobalSettings>().auto_create_primary_context = false;
    let image = app.world_mut().resource_mut::<Assets<Image>>().add(target(size));
    // egui antialiases by itself.
    app.world_mut().spawn((
        Camera2d,
        Msaa::Off,
        RenderTarget::Image(image.clone().into()),
        PrimaryEguiContext,
    ));
    if let Some(renderer) = app.get_sub_app_mut(RenderApp) {
        renderer.add_systems(Render, wait_for_frame.after(RenderSystems::Render));
    }
    (app, image)
}

/// An image to paint into, with its size in pixels.
pub(super) fn target((width, height): (u32, u32)) -> Image {
    let size = Extent3d { width, height, depth_or_array_layers: 1 };
    let (background, format) = ([0, 0, 0, 255], TextureFormat::Rgba8UnormSrgb);
    let mut image = Image::new_fill(size, TextureDimension::D2, &background, format, default());
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    image
}

/// Waits until the frame is painted. Without a screen to synchronize with, frames would pile up.
fn wait_for_frame(device: Res<'_, RenderDevice>) {
    if let Err(error) = device.poll(PollType::wait_indefinitely()) {
        warn!("could not wait for a frame: {error}");
    }
}

/// Waits until the renderer is ready. Call once, before the first frame.
pub(super) fn begin(app: &mut App) {
    while app.plugins_state() == PluginsState::Adding {
        tick_global_task_pools_on_main_thread();
    }
    app.finish();
    app.cleanup();
}
