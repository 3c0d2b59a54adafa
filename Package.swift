// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

/// A library for LD_PRELOAD over an allocator made of the types of the named targets; `Sources/PreloadSupport/exports.map` says how it is linked.
func preloadTarget(_ name: String, allocators: [Target.Dependency], options: [String] = []) -> Target {
  let support = "\(Context.packageDirectory)/Sources/PreloadSupport"
  return .target(
    name: name,
    dependencies: allocators + ["AllocatorABI", "CMallocFamily", "CPreloadInsight", "MallocFamilyFunctions"],
    linkerSettings: [
      .unsafeFlags(
        [
          "-nostartfiles", "-use-ld=gold", "-resource-dir", "\(support)/no-runtime", "-no-toolchain-stdlib-rpath",
          "-Xlinker", "--version-script=\(support)/exports.map",
          "-Xlinker", "--gc-sections", "-Xlinker", "--weak-unresolved-symbols", "-Xlinker", "--rosegment",
          "-Xlinker", "-z", "-Xlinker", "nodelete",
        ] + options)
    ])
}

// Targets stand in the order of the layers: a target depends only on targets above it.
let package = Package(
  name: "swift-allocators",
  products: [
    .library(name: "AllocatorABI", targets: ["AllocatorABI", "AllocatorInstallation", "SystemDefaults"]),
    .library(name: "SystemAllocator", targets: ["SystemAllocator", "SystemDefaults"]),
    .library(name: "JemallocAllocator", targets: ["JemallocAllocator", "SystemDefaults"]),
    .library(name: "MimallocAllocator", targets: ["MimallocAllocator", "SystemDefaults"]),
    .library(name: "TcmallocAllocator", targets: ["TcmallocAllocator", "SystemDefaults"]),
    .library(name: "NestAllocator", targets: ["NestAllocator", "SystemDefaults"]),
    .library(name: "AllocatorInsight", targets: ["AllocatorInsight", "SystemDefaults"]),
    .library(name: "AllocatorAdapters", targets: ["AllocatorAdapters", "SystemDefaults"]),
    .library(name: "GlobalSystem", targets: ["GlobalSystem"]),
    .library(name: "GlobalJemalloc", targets: ["GlobalJemalloc"]),
    .library(name: "GlobalMimalloc", targets: ["GlobalMimalloc"]),
    .library(name: "GlobalTcmalloc", targets: ["GlobalTcmalloc"]),
    .library(name: "GlobalNest", targets: ["GlobalNest"]),
    .library(name: "GlobalNestHardened", targets: ["GlobalNestHardened"]),
    .library(name: "GlobalDefault", targets: ["GlobalDefault"]),
    // For a target that exports an allocator of its own.
    .library(
      name: "GlobalShim",
      targets: ["AllocatorABI", "AllocatorAdapters", "CAllocatorSupport", "CMallocFamily", "MallocFamilyFunctions"]),
    .plugin(name: "ExportGlobalAllocator", targets: ["ExportGlobalAllocator"]),
    // Libraries for LD_PRELOAD.
    .library(name: "CountingPreload", type: .dynamic, targets: ["PreloadCounting"]),
    .library(name: "NestPreload", type: .dynamic, targets: ["PreloadNest"]),
    .library(name: "NestHardenedPreload", type: .dynamic, targets: ["PreloadNestHardened"]),
    .library(name: "TracingPreload", type: .dynamic, targets: ["PreloadTracing"]),
    // What these open if the environment asks for it, and what may be preloaded by itself.
    .library(name: "InsightPreload", type: .dynamic, targets: ["PreloadInsight"]),
    .library(name: "AllocatorTestKit", targets: ["AllocatorTestKit", "SystemDefaults"]),
    .library(name: "AllocatorTesting", targets: ["AllocatorTesting", "SystemDefaults"]),
    .library(name: "BenchmarkKit", targets: ["BenchmarkKit"]),
  ],
  traits: [
    .trait(name: "Metrics", description: "AllocatorInsight records gauges through swift-metrics."),
    .trait(name: "ServiceLifecycle", description: "AllocatorInsight is a service of swift-service-lifecycle."),
  ],
  // For the benchmarks alone. Who depends on this package never resolves it, as long as no product that is declared above
  // leads to it: executables are products of the root package without being declared.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // Resolved only by who enables the trait.
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
  ],
  targets: [
    // Platform support: what Swift cannot say.
    .target(name: "CAllocatorSupport"),
    .target(name: "CSystemAllocator"),
    .target(name: "CNestSupport"),
    // No pkgConfig: SwiftPM would warn of a missing package whoever does not use it. The header says it instead.
    .systemLibrary(name: "CJemalloc", providers: [.apt(["libjemalloc-dev"])]),
    .systemLibrary(name: "CMimalloc", providers: [.apt(["libmimalloc-dev"])]),
    .systemLibrary(name: "CTcmalloc", providers: [.apt(["libgoogle-perftools-dev"])]),

    // The protocol and the facade.
    .target(name: "AllocatorABI", dependencies: ["CAllocatorSupport"]),

    // Allocators.
    .target(name: "SystemAllocator", dependencies: ["AllocatorABI", "CAllocatorSupport", "CSystemAllocator"]),
    .target(name: "JemallocAllocator", dependencies: ["AllocatorABI", "CJemalloc"]),
    .target(name: "MimallocAllocator", dependencies: ["AllocatorABI", "CMimalloc"]),
    .target(name: "TcmallocAllocator", dependencies: ["AllocatorABI", "CAllocatorSupport", "CTcmalloc"]),
    .target(name: "NestAllocator", dependencies: ["AllocatorABI", "CNestSupport"]),

    // Adapters, and the malloc family over any allocator.
    .target(name: "CAllocatorLimit"),
    .target(name: "CAllocatorCounters"),
    .target(name: "CAllocatorTrace"),
    .target(
      name: "AllocatorAdapters",
      dependencies: ["AllocatorABI", "CAllocatorCounters", "CAllocatorLimit", "CAllocatorSupport", "CAllocatorTrace"]),
    .target(name: "MallocFamilyFunctions", dependencies: ["AllocatorABI", "AllocatorAdapters", "CAllocatorSupport"]),
    .target(name: "CMallocFamily", dependencies: ["CAllocatorSupport"]),

    // A table and a generator of random numbers, for what prints and measures.
    .target(name: "KitSupport"),

    // Where the calls of a process go: for the artifact that names an allocator, and ordinary Swift.
    .target(name: "CAllocatorInstallation"),
    .target(
      name: "AllocatorInstallation",
      dependencies: ["AllocatorABI", "CAllocatorInstallation", "CAllocatorSupport", "KitSupport"]),

    // What an artifact gets in which nobody chose.
    .target(name: "CSystemDefaults"),
    .target(name: "SystemDefaults", dependencies: ["CAllocatorSupport", "CSystemDefaults", "SystemAllocator"]),

    // What a process's memory is used for: for whoever asks, and ordinary Swift.
    .target(name: "CAllocatorInsight", dependencies: ["CAllocatorSupport"]),
    .target(
      name: "AllocatorInsight",
      dependencies: [
        "AllocatorABI", "CAllocatorInsight",
        .product(name: "Metrics", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
        .product(
          name: "ServiceLifecycle", package: "swift-service-lifecycle", condition: .when(traits: ["ServiceLifecycle"])),
      ]),

    // Products that choose.
    .target(name: "GlobalSystem", dependencies: ["SystemAllocator"]),
    .target(name: "GlobalJemalloc", dependencies: ["JemallocAllocator"]),
    .target(name: "GlobalMimalloc", dependencies: ["CMallocFamily", "MallocFamilyFunctions", "MimallocAllocator"]),
    .target(name: "GlobalTcmalloc", dependencies: ["CMallocFamily", "MallocFamilyFunctions", "TcmallocAllocator"]),
    .target(name: "GlobalNest", dependencies: ["CMallocFamily", "MallocFamilyFunctions", "NestAllocator"]),
    .target(name: "GlobalNestHardened", dependencies: ["CMallocFamily", "MallocFamilyFunctions", "NestAllocator"]),
    .target(name: "GlobalDefault", dependencies: ["CMallocFamily", "MallocFamilyFunctions", "NestAllocator"]),

    // What makes the allocator of a user's own target one that chooses.
    .plugin(name: "ExportGlobalAllocator", capability: .buildTool(), path: "Sources/ExportGlobalAllocator"),

    // Libraries that run an allocator under any program: one line each. And what answers questions about memory there.
    .target(name: "CPreloadInsight"),
    .target(name: "CInsightPreload"),
    .target(
      name: "PreloadInsight", dependencies: ["AllocatorInsight", "CInsightPreload", "SystemDefaults"],
      linkerSettings: [
        .unsafeFlags([
          "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/PreloadSupport/insight.map",
          "-Xlinker", "-z", "-Xlinker", "nodelete",
        ])
      ]),
    preloadTarget("PreloadCounting", allocators: ["AllocatorAdapters", "SystemAllocator"]),
    preloadTarget("PreloadNest", allocators: ["NestAllocator"]),
    preloadTarget(
      "PreloadNestHardened", allocators: ["NestAllocator"], options: ["-Xlinker", "-z", "-Xlinker", "now"]),
    preloadTarget("PreloadTracing", allocators: ["AllocatorAdapters", "SystemAllocator"]),

    // Kits and tools: ordinary Swift.
    .target(name: "AllocatorTesting", dependencies: ["AllocatorInsight"]),
    .target(name: "AllocatorTestKit", dependencies: ["AllocatorABI", "KitSupport"]),
    .executableTarget(name: "benchmark-launcher"),
    .executableTarget(name: "trace-replayer"),
    .target(name: "BenchmarkKit", dependencies: ["KitSupport"]),

    // Benchmarks: the work that is measured, one program for each product that chooses, and what runs them.
    .target(name: "Workloads", path: "Benchmarks/Workloads"),
    .executableTarget(
      name: "Workloads-system", dependencies: ["AllocatorABI", "GlobalSystem", "Workloads"],
      path: "Benchmarks/Workloads-system"),
    .executableTarget(
      name: "Workloads-jemalloc", dependencies: ["AllocatorABI", "GlobalJemalloc", "Workloads"],
      path: "Benchmarks/Workloads-jemalloc"),
    .executableTarget(
      name: "Workloads-mimalloc", dependencies: ["AllocatorABI", "GlobalMimalloc", "Workloads"],
      path: "Benchmarks/Workloads-mimalloc"),
    .executableTarget(
      name: "Workloads-tcmalloc", dependencies: ["AllocatorABI", "GlobalTcmalloc", "Workloads"],
      path: "Benchmarks/Workloads-tcmalloc"),
    .executableTarget(
      name: "Workloads-nest", dependencies: ["AllocatorABI", "GlobalNest", "Workloads"],
      path: "Benchmarks/Workloads-nest"),
    .executableTarget(
      name: "Workloads-default", dependencies: ["AllocatorABI", "GlobalDefault", "Workloads"],
      path: "Benchmarks/Workloads-default"),
    .executableTarget(
      name: "AllocationShapes", path: "Benchmarks/AllocationShapes", linkerSettings: [.linkedLibrary("m")]),
    .executableTarget(name: "AllocationScale", path: "Benchmarks/AllocationScale"),
    .plugin(
      name: "BuildWorkloads", capability: .buildTool(),
      dependencies: [
        "Workloads-system", "Workloads-jemalloc", "Workloads-mimalloc", "Workloads-tcmalloc", "Workloads-nest",
        "Workloads-default",
      ],
      path: "Benchmarks/BuildWorkloads"),
    .executableTarget(
      name: "AllocatorBenchmarks",
      dependencies: [
        "BenchmarkKit", "KitSupport", "Workloads", "AllocationShapes", "AllocationScale", "benchmark-launcher",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Benchmarks/AllocatorBenchmarks", plugins: ["BuildWorkloads"]),

    // Recorded allocations, as a file.
    .target(name: "AllocationTrace", dependencies: ["CAllocatorTrace"]),

    // The command. Its logic is a library, so that tests can link it.
    .target(
      name: "AllocatorsTool",
      dependencies: [
        "AllocationTrace", "AllocatorInsight", "BenchmarkKit", "CAllocatorTrace",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "allocators", dependencies: ["AllocatorsTool", "benchmark-launcher", "trace-replayer", "SystemDefaults"]),

    // Tests. What is about a whole process runs in programs of dependent packages, which ProcessTests builds and starts.
    .testTarget(
      name: "AllocatorTestKitTests",
      dependencies: ["AllocatorAdapters", "AllocatorTestKit", "SystemAllocator", "SystemDefaults", "TestEffort"]),
    .testTarget(
      name: "AllocatorAdaptersTests",
      dependencies: [
        "AllocatorAdapters", "AllocatorTestKit", "CAllocatorSupport", "CStatisticsTestSupport", "SystemAllocator",
        "SystemDefaults", "TestEffort",
      ]),
    .target(name: "CStatisticsTestSupport", path: "Tests/CStatisticsTestSupport"),
    .target(name: "TestEffort", dependencies: ["AllocatorTestKit"], path: "Tests/TestEffort"),
    .target(name: "ProcessTestSupport", path: "Tests/ProcessTestSupport"),
    .target(name: "CNestTestSupport", path: "Tests/CNestTestSupport"),
    .testTarget(
      name: "NestAllocatorTests",
      dependencies: [
        "AllocatorAdapters", "AllocatorTestKit", "KitSupport", "NestAllocator", "NestFuzzing", "CNestSupport",
        "CNestTestSupport", "ProcessTestSupport", "SystemAllocator", "SystemDefaults", "TestEffort",
        "nest-hardened-probe",
      ]),
    .target(
      name: "NestFuzzing", dependencies: ["NestAllocator", "CNestSupport", "CNestTestSupport"],
      path: "Tests/NestFuzzing"),
    .executableTarget(name: "nest-fuzzer", dependencies: ["NestFuzzing", "SystemDefaults"], path: "Tests/NestFuzzer"),
    .executableTarget(
      name: "nest-hardened-probe",
      dependencies: [
        "AllocatorABI", "AllocatorTestKit", "CNestSupport", "CNestTestSupport", "KitSupport", "NestAllocator",
        "SystemDefaults", "TestEffort",
      ],
      path: "Tests/NestHardenedProbe"),
    .target(name: "TraceFuzzing", dependencies: ["AllocationTrace"], path: "Tests/TraceFuzzing"),
    .executableTarget(name: "trace-fuzzer", dependencies: ["TraceFuzzing"], path: "Tests/TraceFuzzer"),
    .testTarget(
      name: "AllocationTraceTests",
      dependencies: ["AllocationTrace", "CAllocatorTrace", "SystemDefaults", "TestEffort", "TraceFuzzing"]),
    .testTarget(
      name: "ProcessTests", dependencies: ["BenchmarkKit", "ProcessTestSupport", "SystemDefaults", "TestEffort"]),
    .testTarget(name: "BenchmarkKitTests", dependencies: ["BenchmarkKit", "TestEffort", "benchmark-launcher"]),
    .testTarget(
      name: "AllocatorInsightTests",
      dependencies: [
        "AllocatorABI", "AllocatorInsight", "ProcessTestSupport", "SystemDefaults", "TestEffort",
        .product(name: "MetricsTestKit", package: "swift-metrics", condition: .when(traits: ["Metrics"])),
        .product(
          name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle",
          condition: .when(traits: ["ServiceLifecycle"])),
      ]),
    .testTarget(
      name: "AllocatorTestingTests",
      dependencies: ["AllocatorInsight", "AllocatorTesting", "CAllocatorInsight", "SystemDefaults", "TestEffort"]),
    .testTarget(
      name: "AllocatorsToolTests",
      dependencies: [
        "AllocationTrace", "AllocatorInsight", "AllocatorsTool", "ProcessTestSupport", "SystemDefaults", "TestEffort",
      ]),
    .testTarget(
      name: "AllocatorBenchmarksTests",
      dependencies: ["AllocatorBenchmarks", "BenchmarkKit", "TestEffort", "Workloads"]),
  ],
  swiftLanguageModes: [.v6]
)

// For checking the documentation, and not for users: a dependency is resolved by everyone who depends on this package.
if Context.environment["ALLOCATOR_DOCUMENTATION"] == "1" {
  package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}

// For a test target that is built in another way, alone (`.ci/test-target`): without the others, and what only they need.
if let name = Context.environment["ALLOCATOR_TEST_TARGET"] {
  package.targets.removeAll { $0.type == .test && $0.name != name }
}
