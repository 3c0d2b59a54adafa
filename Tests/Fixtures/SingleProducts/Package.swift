// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// A program for each product that holds allocators as types, which names that product and no other.
let package = Package(
  name: "SingleProducts",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .program("UsesSystem", of: "SystemAllocator"),
    .program("UsesJemalloc", of: "JemallocAllocator"),
    .program("UsesNest", of: "NestAllocator"),
    .program("UsesAdapters", of: "AllocatorAdapters"),
  ]
)

extension Target {
  static func program(_ name: String, of product: String) -> Target {
    .executableTarget(name: name, dependencies: [.product(name: product, package: "swift-allocators")])
  }
}
