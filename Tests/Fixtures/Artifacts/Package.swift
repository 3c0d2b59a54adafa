// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// One program in four artifacts that differ in the `Global…` product they name, and two dynamic libraries.
let package = Package(
  name: "Artifacts",
  products: [
    .library(name: "JemallocPlugin", type: .dynamic, targets: ["JemallocPlugin"]),
    .library(name: "SystemPlugin", type: .dynamic, targets: ["SystemPlugin"]),
    .library(name: "GuestPlugin", type: .dynamic, targets: ["GuestPlugin"]),
  ],
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .executableTarget(name: "AppSystem", dependencies: [.abi, .kit, .system, .global("GlobalSystem")]),
    .executableTarget(name: "AppJemalloc", dependencies: [.abi, .kit, .system, .global("GlobalJemalloc")]),
    .executableTarget(name: "AppNest", dependencies: [.abi, .kit, .system, .global("GlobalNest")]),
    .executableTarget(name: "AppDefault", dependencies: [.abi, .kit, .system, .global("GlobalDefault")]),
    .executableTarget(name: "AppUnchosen", dependencies: [.abi, .kit, .system]),
    .target(name: "JemallocPlugin", dependencies: [.global("GlobalJemalloc")]),
    .target(name: "SystemPlugin", dependencies: [.global("GlobalSystem")]),
    .target(name: "GuestPlugin", dependencies: [.abi]),
  ]
)

extension Target.Dependency {
  static var abi: Self { .product(name: "AllocatorABI", package: "swift-allocators") }
  static var kit: Self { .product(name: "AllocatorTestKit", package: "swift-allocators") }
  static var system: Self { .product(name: "SystemAllocator", package: "swift-allocators") }
  static func global(_ product: String) -> Self { .product(name: product, package: "swift-allocators") }
}
