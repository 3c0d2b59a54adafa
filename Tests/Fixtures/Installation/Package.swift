// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// One program in artifacts that differ in the allocator they name, and in what else they link.
let package = Package(
  name: "Installation",
  dependencies: [
    .package(name: "swift-allocators", path: "../../.."),
    .package(path: "SecondMalloc"),
  ],
  targets: [
    .target(name: "InstallationReport", dependencies: [.product(name: "AllocatorABI", package: "swift-allocators")]),
    .executableTarget(name: "AppSystem", dependencies: ["InstallationReport", .global("GlobalSystem")]),
    .executableTarget(name: "AppJemalloc", dependencies: ["InstallationReport", .global("GlobalJemalloc")]),
    .executableTarget(name: "AppNest", dependencies: ["InstallationReport", .global("GlobalNest")]),
    .executableTarget(name: "AppUnchosen", dependencies: ["InstallationReport"]),
    // The five functions, and not the malloc family.
    .executableTarget(
      name: "AppFive",
      dependencies: ["InstallationReport", .product(name: "SystemAllocator", package: "swift-allocators")]),
    // An allocator in Swift, with the malloc family.
    .target(
      name: "FamilyAllocator",
      dependencies: [.global("GlobalShim"), .product(name: "SystemAllocator", package: "swift-allocators")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")]),
    .executableTarget(name: "AppFamily", dependencies: ["InstallationReport", "FamilyAllocator"]),
    .executableTarget(
      name: "AppSecondFirst",
      dependencies: [
        .product(name: "SecondMalloc", package: "SecondMalloc"), "InstallationReport", .global("GlobalSystem"),
      ]),
  ]
)

extension Target.Dependency {
  static func global(_ product: String) -> Self { .product(name: product, package: "swift-allocators") }
}
