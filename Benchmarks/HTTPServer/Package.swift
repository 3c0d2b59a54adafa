// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

/// The service, built against the product `Global…` of that name.
func server(_ product: String) -> Target {
  .executableTarget(
    name: "Server-\(product.lowercased())",
    dependencies: [
      "ItemService", .product(name: "AllocatorABI", package: "swift-allocators"),
      .product(name: "Global\(product)", package: "swift-allocators"),
    ])
}

/// The service that leaks, on one allocator.
func sessions(_ name: String, _ allocator: Target.Dependency) -> Target {
  .executableTarget(
    name: "Sessions-\(name)",
    dependencies: ["SessionService", .product(name: "AllocatorABI", package: "swift-allocators"), allocator])
}

// A package of its own, because its dependencies take minutes to build.
let package = Package(
  name: "HTTPServer",
  dependencies: [
    .package(name: "swift-allocators", path: "../.."),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .target(
      name: "ItemService",
      dependencies: [
        .product(name: "AllocatorInsight", package: "swift-allocators"),
        .product(name: "Hummingbird", package: "hummingbird"),
      ]),
    .testTarget(
      name: "ItemServiceTests",
      dependencies: ["ItemService", .product(name: "HummingbirdTesting", package: "hummingbird")]),
    server("System"),
    server("Jemalloc"),
    server("Mimalloc"),
    server("Tcmalloc"),
    server("Nest"),
    server("Default"),
    .executableTarget(
      name: "http-benchmark",
      dependencies: [
        .product(name: "BenchmarkKit", package: "swift-allocators"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(
      name: "SessionService",
      dependencies: [
        .product(name: "AllocatorInsight", package: "swift-allocators"),
        .product(name: "Hummingbird", package: "hummingbird"),
      ]),
    // An allocator of a user's own.
    .target(
      name: "FiveFunctions", dependencies: [.product(name: "GlobalShim", package: "swift-allocators")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")]),
    sessions("system", .product(name: "GlobalSystem", package: "swift-allocators")),
    sessions("jemalloc", .product(name: "GlobalJemalloc", package: "swift-allocators")),
    sessions("nest", .product(name: "GlobalNest", package: "swift-allocators")),
    sessions("five", "FiveFunctions"),
    .executableTarget(
      name: "leak-check",
      dependencies: [
        .product(name: "BenchmarkKit", package: "swift-allocators"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)
