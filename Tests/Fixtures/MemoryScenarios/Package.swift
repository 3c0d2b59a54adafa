// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// Programs that use memory in a way that is known, on each allocator.
let package = Package(
  name: "MemoryScenarios",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .target(name: "Scenarios", dependencies: [.product(name: "AllocatorABI", package: "swift-allocators")]),
    .executableTarget(
      name: "ScenarioSystem", dependencies: ["Scenarios", .product(name: "GlobalSystem", package: "swift-allocators")]),
    .executableTarget(
      name: "ScenarioJemalloc",
      dependencies: ["Scenarios", .product(name: "GlobalJemalloc", package: "swift-allocators")]
    ),
    .executableTarget(
      name: "ScenarioNest", dependencies: ["Scenarios", .product(name: "GlobalNest", package: "swift-allocators")]),
    .executableTarget(name: "ScenarioUnchosen", dependencies: ["Scenarios"]),
  ]
)
