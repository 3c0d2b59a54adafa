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
  ],
  swiftLanguageModes: [.v6]
)
