// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import Foundation
import PackagePlugin

/// Makes a target's `LinkedAllocator` the allocator of every artifact that links the target: adds the shim to its sources.
///
/// The shim is the one that this package's own `Global…` products have, copied file by file; there is no other text of it.
@main
struct ExportGlobalAllocator: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
    var visited: Set<Package.ID> = []
    guard let shim = shimFolder(below: context.package, visited: &visited) else {
      throw ShimNotFound(package: context.package.displayName)
    }
    return ["ExportedSymbols.swift", "ExportedMallocFamily.swift"].map { name in
      let source = shim.appending(path: name)
      let copy = context.pluginWorkDirectoryURL.appending(path: name)
      return .buildCommand(
        displayName: "Exporting the LinkedAllocator of \(target.name) (\(name))",
        executable: URL(filePath: "/bin/cp"), arguments: [source.path, copy.path],
        inputFiles: [source], outputFiles: [copy])
    }
  }

  /// The folder `Sources/AllocatorExports` of this package, which is the package that has the target `AllocatorABI`.
  private func shimFolder(below package: Package, visited: inout Set<Package.ID>) -> URL? {
    guard visited.insert(package.id).inserted else { return nil }
    if let target = package.targets.first(where: { $0.name == "AllocatorABI" }) {
      return target.directoryURL.deletingLastPathComponent().appending(path: "AllocatorExports")
    }
    for dependency in package.dependencies {
      if let folder = shimFolder(below: dependency.package, visited: &visited) { return folder }
    }
    return nil
  }
}

/// The package does not depend on the one that has the shim.
struct ShimNotFound: Error, CustomStringConvertible {
  var package: String

  var description: String {
    "ExportGlobalAllocator: package \(package) does not depend on the package that has the target AllocatorABI"
  }
}
