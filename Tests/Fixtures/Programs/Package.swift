// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// A package as users have them, with all programs that tests start: one package, so that each configuration is built once.
// What more there is to build in the same folder, `FIXTURE_PROGRAMS` says:
//
// - mistakes: targets that must not compile, or link;
// - linkers: some of the programs once more by each linker;
// - hidden: one of the programs with a version script that hides its malloc;
// - static: what is tried with the static standard library, and nothing else: a dynamic library cannot be linked with it.
let selection = Context.environment["FIXTURE_PROGRAMS"] ?? ""

let cFamily: [Target] = [
  .target(name: "CCases"),
  .target(name: "CxxCases", linkerSettings: [.linkedLibrary("stdc++")]),
]

/// Allocators behind the exports, by the plugin or without it.
let allocators: [Target] = [
  .target(name: "TestAllocators", dependencies: [.ours("GlobalShim"), .ours("SystemAllocator")]),
  .exporting("ExportFive", "TestAllocators"),
  .exporting("ExportNative", "TestAllocators"),
  .exporting("FamilyAllocator", .ours("SystemAllocator")),
  // Allocators that are made of others.
  .exporting("ExportSegregating", "TestAllocators", .ours("SystemAllocator")),
  .exporting("ExportFallback", "TestAllocators", .ours("SystemAllocator")),
  .exporting("ExportTracing", "TestAllocators", .ours("SystemAllocator")),
  // An allocator that can give memory back, in one file of the target that exports it.
  .exporting("ReleasingAllocator"),
  // The samples, which are packages of their own, too.
  .exporting("MallocSample"),
  .exporting("BumpSample"),
]

/// One program in artifacts that differ in the `Global…` product that they name.
let artifacts: [Target] =
  [
    "GlobalSystem", "GlobalJemalloc", "GlobalMimalloc", "GlobalTcmalloc", "GlobalNest", "GlobalNestHardened",
    "GlobalDefault",
  ].map { global in
    .app("App\(global.dropFirst("Global".count))", .ours(global))
  } + [.app("AppUnchosen")]

/// A program for each product that holds allocators as types, which names that product and no other.
let singleProducts: [Target] = [
  .executableTarget(name: "UsesSystem", dependencies: [.ours("SystemAllocator")]),
  .executableTarget(name: "UsesJemalloc", dependencies: [.ours("JemallocAllocator")]),
  .executableTarget(name: "UsesMimalloc", dependencies: [.ours("MimallocAllocator")]),
  .executableTarget(name: "UsesTcmalloc", dependencies: [.ours("TcmallocAllocator")]),
  .executableTarget(name: "UsesNest", dependencies: [.ours("NestAllocator")]),
  .executableTarget(name: "UsesAdapters", dependencies: [.ours("AllocatorAdapters")]),
]

/// One program that says what `GlobalAllocator.installation` has found.
let installed: [Target] = [
  .target(name: "InstallationReport", dependencies: [.ours("AllocatorABI")]),
  .executableTarget(name: "InstalledSystem", dependencies: ["InstallationReport", .ours("GlobalSystem")]),
  .executableTarget(name: "InstalledJemalloc", dependencies: ["InstallationReport", .ours("GlobalJemalloc")]),
  .executableTarget(name: "InstalledMimalloc", dependencies: ["InstallationReport", .ours("GlobalMimalloc")]),
  .executableTarget(name: "InstalledTcmalloc", dependencies: ["InstallationReport", .ours("GlobalTcmalloc")]),
  .executableTarget(name: "InstalledNest", dependencies: ["InstallationReport", .ours("GlobalNest")]),
  .executableTarget(name: "InstalledNestHardened", dependencies: ["InstallationReport", .ours("GlobalNestHardened")]),
  .executableTarget(name: "InstalledUnchosen", dependencies: ["InstallationReport"]),
  // The five functions, and not the malloc family.
  .executableTarget(name: "InstalledFive", dependencies: ["InstallationReport", .ours("SystemAllocator")]),
  // An allocator in Swift, with the malloc family.
  .executableTarget(name: "InstalledFamily", dependencies: ["InstallationReport", "FamilyAllocator"]),
]

/// Programs on the malloc family over an allocator with the five functions alone, and over one that has all of `MallocABI`.
let mallocFamily: [Target] = [
  .executableTarget(name: "CasesOnFive", dependencies: ["ExportFive", "TestAllocators", "CCases", "CxxCases"]),
  .executableTarget(name: "CasesOnNative", dependencies: ["ExportNative", "TestAllocators", "CCases", "CxxCases"]),
  // The cases in C alone, on products that bring the malloc family.
  .executableTarget(name: "CasesOnNest", dependencies: ["CCases", .ours("GlobalNest")]),
  .executableTarget(name: "CasesOnNestHardened", dependencies: ["CCases", .ours("GlobalNestHardened")]),
  .executableTarget(name: "CasesOnMimalloc", dependencies: ["CCases", .ours("GlobalMimalloc")]),
  .executableTarget(name: "CasesOnTcmalloc", dependencies: ["CCases", .ours("GlobalTcmalloc")]),
  .executableTarget(
    name: "CasesOnSegregating", dependencies: ["CCases", "CxxCases", "ExportSegregating", "TestAllocators"]),
  .executableTarget(name: "CasesOnFallback", dependencies: ["CCases", "CxxCases", "ExportFallback", "TestAllocators"]),
  .executableTarget(
    name: "CasesOnTracing",
    dependencies: ["CCases", "CxxCases", "ExportTracing", "TestAllocators", .ours("AllocatorAdapters")]),
  .executableTarget(name: "Server", dependencies: ["ExportFive"]),
  .executableTarget(name: "ReleasingProgram", dependencies: ["ReleasingAllocator"]),
  .executableTarget(name: "HelloMalloc", dependencies: ["MallocSample"]),
  .executableTarget(name: "HelloBump", dependencies: ["BumpSample"]),
]

/// Programs that use memory in a way that is known, on each allocator.
let scenarios: [Target] =
  [.target(name: "Scenarios", dependencies: [.ours("AllocatorABI"), .ours("AllocatorInsight")])]
  + ["System", "Jemalloc", "Nest", "Tcmalloc"].map {
    .executableTarget(name: "Scenario\($0)", dependencies: ["Scenarios", .ours("Global\($0)")])
  } + [.executableTarget(name: "ScenarioUnchosen", dependencies: ["Scenarios"])]

/// Programs that profile themselves, on each allocator.
let profiled: [Target] =
  [.target(name: "Profiled", dependencies: [.ours("AllocatorInsight")])]
  + ["System", "Jemalloc", "Nest"].map {
    .executableTarget(name: "Profiled\($0)", dependencies: ["Profiled", .ours("Global\($0)")])
  } + [
    .executableTarget(name: "ProfiledUnchosen", dependencies: ["Profiled"]),
    .executableTarget(name: "ProfiledFive", dependencies: ["Profiled", "ExportFive"]),
  ]

/// Programs that take a census of themselves.
let counted: [Target] =
  [.target(name: "Counted", dependencies: [.ours("AllocatorInsight")])]
  + ["Nest", "NestHardened", "Jemalloc"].map {
    .executableTarget(name: "Counted\($0)", dependencies: ["Counted", .ours("Global\($0)")])
  } + [.executableTarget(name: "CountedUnchosen", dependencies: ["Counted"])]

/// Dynamic libraries, and what needs one.
let libraries: [Target] = [
  .target(name: "JemallocPlugin", dependencies: [.ours("GlobalJemalloc")]),
  .target(name: "SystemPlugin", dependencies: [.ours("GlobalSystem")]),
  .target(name: "GuestPlugin", dependencies: [.ours("AllocatorABI")]),
  // For programs that open and close them.
  .target(name: "ClosedNest", dependencies: [.ours("AllocatorABI"), .ours("GlobalNest")]),
  .target(name: "ClosedJemalloc", dependencies: [.ours("AllocatorABI"), .ours("GlobalJemalloc")]),
  .target(name: "CGuest"),
  .target(
    name: "PreloadUser",
    dependencies: [
      .ours("CountingPreload"), .ours("NestPreload"), .ours("NestHardenedPreload"),
      .ours("TracingPreload"), .ours("InsightPreload"),
    ]),
  .executableTarget(
    name: "InstalledSecondFirst",
    dependencies: [
      .product(name: "SecondMalloc", package: "SecondMalloc"), "InstallationReport", .ours("GlobalSystem"),
    ]),
  // The five functions over that library, which has the malloc family.
  .executableTarget(
    name: "InstalledLibrary",
    dependencies: [
      .product(name: "SecondMalloc", package: "SecondMalloc"), "InstallationReport", .ours("SystemAllocator"),
    ]),
]

/// What must not build, each for one mistake, and one that must.
let mistakes: [Target] = [
  .executableTarget(name: "TwoAllocators", dependencies: [.ours("GlobalSystem"), .ours("GlobalJemalloc")]),
  .exporting("Missing"),
  .exporting("NonConforming"),
  .exporting("Unmarked"),
  // An allocator that does what it may not, as a compilation condition says.
  .mistaken("SoundAllocator"),
  .mistaken("AllocatingAllocator", "ALLOCATES"),
  .mistaken("LockingAllocator", "LOCKS"),
  .target(name: "GlobalSound", dependencies: ["SoundAllocator"]),
  .target(name: "GlobalAllocating", dependencies: ["AllocatingAllocator"], swiftSettings: [.define("ALLOCATES")]),
  .target(name: "GlobalLocking", dependencies: ["LockingAllocator"], swiftSettings: [.define("LOCKS")]),
]

let linkers: [Target] = ["gold", "lld", "bfd"].flatMap { linker -> [Target] in
  func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
      name: "\(name)-\(linker)", dependencies: dependencies, path: "Sources/Linkers/\(linker)/\(name)",
      linkerSettings: [.unsafeFlags(["-use-ld=\(linker)"])])
  }
  return [
    program("CasesOnFive", ["ExportFive", "TestAllocators", "CCases", "CxxCases"]),
    program("Server", ["ExportFive"]),
    program("InstalledFamily", ["InstallationReport", "FamilyAllocator"]),
    program("TwoAllocators", [.ours("GlobalSystem"), .ours("GlobalJemalloc")]),
  ]
}

let hidden: [Target] = [
  .executableTarget(
    name: "InstalledHidden", dependencies: ["InstallationReport", "FamilyAllocator"],
    linkerSettings: [.unsafeFlags(["-Xlinker", "--version-script=\(Context.packageDirectory)/hidden.map"])])
]

let isStatic = selection.contains("static")
let all = singleProducts + mallocFamily + scenarios + profiled + counted + libraries

let package = Package(
  name: "Programs",
  products: isStatic
    ? []
    : [
      .library(name: "Guest", type: .dynamic, targets: ["CGuest"]),
      .library(name: "JemallocPlugin", type: .dynamic, targets: ["JemallocPlugin"]),
      .library(name: "SystemPlugin", type: .dynamic, targets: ["SystemPlugin"]),
      .library(name: "GuestPlugin", type: .dynamic, targets: ["GuestPlugin"]),
      .library(name: "ClosedNest", type: .dynamic, targets: ["ClosedNest"]),
      .library(name: "ClosedJemalloc", type: .dynamic, targets: ["ClosedJemalloc"]),
    ],
  dependencies: [.package(name: "swift-allocators", path: "../../..")]
    + (isStatic ? [] : [.package(path: "../SecondMalloc")]),
  targets: cFamily + allocators + artifacts + installed + (isStatic ? [] : all)
    + (selection.contains("mistakes") ? mistakes : [])
    + (selection.contains("linkers") ? linkers : [])
    + (selection.contains("hidden") ? hidden : []),
  cxxLanguageStandard: .cxx17
)

extension Target.Dependency {
  static func ours(_ product: String) -> Self { .product(name: product, package: "swift-allocators") }
}

extension Target {
  /// The program that reports on its allocator.
  static func app(_ name: String, _ global: Target.Dependency...) -> Target {
    .executableTarget(
      name: name, dependencies: [.ours("AllocatorABI"), .ours("AllocatorTestKit"), .ours("SystemAllocator")] + global)
  }

  /// A target whose `LinkedAllocator` the plugin exports.
  static func exporting(_ name: String, _ dependencies: Target.Dependency...) -> Target {
    .target(
      name: name, dependencies: dependencies + [.ours("GlobalShim")],
      plugins: [.plugin(name: "ExportGlobalAllocator", package: "swift-allocators")])
  }

  static func mistaken(_ name: String, _ condition: String...) -> Target {
    .target(
      name: name, dependencies: [.ours("AllocatorABI"), .ours("SystemAllocator")],
      swiftSettings: condition.map { .define($0) })
  }
}
