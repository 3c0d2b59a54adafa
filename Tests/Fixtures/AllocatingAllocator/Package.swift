// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// An allocator behind the shim that does what an allocator may not, as a compilation condition says: ALLOCATES or LOCKS.
// It must compile only without either.
let package = Package(
  name: "AllocatingAllocator",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .target(
      name: "AllocatingAllocator",
      dependencies: [
        .product(name: "AllocatorABI", package: "swift-allocators"),
        .product(name: "SystemAllocator", package: "swift-allocators"),
      ]),
    .target(name: "GlobalAllocating", dependencies: ["AllocatingAllocator"]),
  ]
)
