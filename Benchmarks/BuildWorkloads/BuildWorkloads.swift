// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackagePlugin

/// Builds nothing by itself: the package manager builds the executables that this plugin depends on before the target
/// that uses the plugin, in the same configuration and into the same folder, with "-tool" after their names.
///
/// A target that depended on them directly would have all their allocators linked into it, which the linker refuses.
@main
struct BuildWorkloads: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) async throws -> [Command] {
    []
  }
}
