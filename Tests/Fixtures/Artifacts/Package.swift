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
    .executableTarget(
      name: "AppSystem", dependencies: [.abi, .product(name: "GlobalSystem", package: "swift-allocators")]),
    .executableTarget(
      name: "AppJemalloc", dependencies: [.abi, .product(name: "GlobalJemalloc", package: "swift-allocators")]),
    .executableTarget(
      name: "AppDefault", dependencies: [.abi, .product(name: "GlobalDefault", package: "swift-allocators")]),
    .executableTarget(name: "AppUnchosen", dependencies: [.abi]),
    .target(name: "JemallocPlugin", dependencies: [.product(name: "GlobalJemalloc", package: "swift-allocators")]),
    .target(name: "SystemPlugin", dependencies: [.product(name: "GlobalSystem", package: "swift-allocators")]),
    .target(name: "GuestPlugin", dependencies: [.abi]),
  ]
)

extension Target.Dependency {
  static var abi: Self { .product(name: "AllocatorABI", package: "swift-allocators") }
}
