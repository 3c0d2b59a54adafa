// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// A mistake: an executable that names two `Global…` products. It must not link.
let package = Package(
  name: "TwoAllocators",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .executableTarget(
      name: "App",
      dependencies: [
        .product(name: "GlobalSystem", package: "swift-allocators"),
        .product(name: "GlobalJemalloc", package: "swift-allocators"),
      ])
  ]
)
