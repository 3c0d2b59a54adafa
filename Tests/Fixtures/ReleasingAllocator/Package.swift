// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// An allocator that can give memory back, in one file of the target that exports it.
let package = Package(
  name: "ReleasingAllocator",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .target(
      name: "ReleasingAllocator",
      dependencies: [.product(name: "GlobalShim", package: "swift-allocators")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")]),
    .executableTarget(name: "Program", dependencies: ["ReleasingAllocator"]),
  ]
)
