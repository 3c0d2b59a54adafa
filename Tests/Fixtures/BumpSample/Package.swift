// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

let package = Package(
  name: "BumpSample",
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .target(
      name: "BumpSample",
      dependencies: [.product(name: "GlobalShim", package: "swift-allocators")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")]),
    .executableTarget(name: "Hello", dependencies: ["BumpSample"]),
  ]
)
