// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// Targets stand in the order of the layers: a target depends only on targets above it.
let package = Package(
  name: "swift-allocators",
  products: [
    .library(name: "AllocatorABI", targets: ["AllocatorABI", "SystemDefaults"]),
    .library(name: "SystemAllocator", targets: ["SystemAllocator"]),
    .library(name: "JemallocAllocator", targets: ["JemallocAllocator"]),
    .library(name: "GlobalSystem", targets: ["GlobalSystem"]),
    .library(name: "GlobalJemalloc", targets: ["GlobalJemalloc"]),
    .library(name: "GlobalDefault", targets: ["GlobalDefault"]),
  ],
  // For the benchmarks alone. Who depends on this package never resolves it, as long as no product that is declared above
  // leads to it: executables are products of the root package without being declared.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Platform support: what Swift cannot say.
    .target(name: "CAllocatorSupport"),
    .systemLibrary(name: "CJemalloc", pkgConfig: "jemalloc", providers: [.apt(["libjemalloc-dev"])]),

    // The protocol and the facade.
    .target(name: "AllocatorABI", dependencies: ["CAllocatorSupport"]),

    // Allocators.
    .target(name: "SystemAllocator", dependencies: ["AllocatorABI", "CAllocatorSupport"]),
    .target(name: "JemallocAllocator", dependencies: ["AllocatorABI", "CJemalloc"]),

    // What an artifact gets in which nobody chose.
    .target(name: "CSystemDefaults"),
    .target(name: "SystemDefaults", dependencies: ["CSystemDefaults", "SystemAllocator"]),

    // Products that choose.
    .target(name: "GlobalSystem", dependencies: ["SystemAllocator"]),
    .target(name: "GlobalJemalloc", dependencies: ["JemallocAllocator"]),
    .target(name: "GlobalDefault", dependencies: ["JemallocAllocator"]),

    // Benchmarks: measuring, the work that is measured, one program for each product that chooses, and what runs them.
    .executableTarget(name: "benchmark-launcher", path: "Benchmarks/BenchmarkLauncher"),
    .target(name: "BenchmarkKit", path: "Benchmarks/BenchmarkKit"),
    .target(name: "Workloads", path: "Benchmarks/Workloads"),
    .executableTarget(
      name: "Workloads-system", dependencies: ["AllocatorABI", "GlobalSystem", "Workloads"],
      path: "Benchmarks/Workloads-system"),
    .executableTarget(
      name: "Workloads-jemalloc", dependencies: ["AllocatorABI", "GlobalJemalloc", "Workloads"],
      path: "Benchmarks/Workloads-jemalloc"),
    .executableTarget(
      name: "Workloads-default", dependencies: ["AllocatorABI", "GlobalDefault", "Workloads"],
      path: "Benchmarks/Workloads-default"),
    .executableTarget(
      name: "AllocationShapes", path: "Benchmarks/AllocationShapes", linkerSettings: [.linkedLibrary("m")]),
    .plugin(
      name: "BuildWorkloads", capability: .buildTool(),
      dependencies: ["Workloads-system", "Workloads-jemalloc", "Workloads-default"], path: "Benchmarks/BuildWorkloads"),
    .executableTarget(
      name: "AllocatorBenchmarks",
      dependencies: [
        "BenchmarkKit", "Workloads", "AllocationShapes", "benchmark-launcher",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/AllocatorBenchmarks", plugins: ["BuildWorkloads"]),

    // Tests.
    .testTarget(name: "BenchmarkKitTests", dependencies: ["BenchmarkKit", "benchmark-launcher"]),
    .testTarget(name: "AllocatorBenchmarksTests", dependencies: ["AllocatorBenchmarks", "BenchmarkKit", "Workloads"]),
  ],
  swiftLanguageModes: [.v6]
)
