// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// Programs on the malloc family over an allocator with the five functions alone, and over one that has all of MallocABI.
// The linker of the programs may be chosen by the environment: only they are linked again then, and nothing is compiled.
let linkerSettings: [LinkerSetting] =
  Context.environment["FIXTURE_LINKER"].map { [.unsafeFlags(["-use-ld=\($0)"])] } ?? []

let package = Package(
  name: "MallocFamily",
  products: [
    .library(name: "Guest", type: .dynamic, targets: ["CGuest"]),
    .executable(name: "CasesOnFive", targets: ["CasesOnFive"]),
    .executable(name: "CasesOnNative", targets: ["CasesOnNative"]),
    .executable(name: "Server", targets: ["Server"]),
  ],
  dependencies: [.package(name: "swift-allocators", path: "../../..")],
  targets: [
    .target(name: "CGuest"),
    .target(name: "CCases"),
    .target(name: "CxxCases", linkerSettings: [.linkedLibrary("stdc++")]),
    .target(
      name: "TestAllocators",
      dependencies: [.shim, .product(name: "SystemAllocator", package: "swift-allocators")]),
    .target(name: "ExportFive", dependencies: ["TestAllocators", .shim], plugins: [.export]),
    .target(name: "ExportNative", dependencies: ["TestAllocators", .shim], plugins: [.export]),
    .executableTarget(
      name: "CasesOnFive", dependencies: ["ExportFive", "TestAllocators", "CCases", "CxxCases"],
      linkerSettings: linkerSettings),
    .executableTarget(
      name: "CasesOnNative", dependencies: ["ExportNative", "TestAllocators", "CCases", "CxxCases"],
      linkerSettings: linkerSettings),
    .executableTarget(name: "Server", dependencies: ["ExportFive"], linkerSettings: linkerSettings),
    .target(
      name: "PreloadUser",
      dependencies: [
        .product(name: "CountingPreload", package: "swift-allocators"),
        .product(name: "NestPreload", package: "swift-allocators"),
      ]),
  ],
  cxxLanguageStandard: .cxx17
)

extension Target.Dependency {
  static var shim: Self { .product(name: "GlobalShim", package: "swift-allocators") }
}

extension Target.PluginUsage {
  static var export: Self { .plugin(name: "ExportGlobalAllocator", package: "swift-allocators") }
}
