// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// Targets that use the plugin and must not build, each for one mistake.
let mistakes = ["Missing", "NonConforming", "Unmarked"]

let package = Package(
  name: "ExportMistakes",
  products: mistakes.map { .library(name: $0, type: .static, targets: [$0]) },
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: mistakes.map {
    .target(
      name: $0,
      dependencies: [.product(name: "GlobalShim", package: "swift-allocators")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")])
  }
)
