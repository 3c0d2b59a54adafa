// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// The product is GlobalJemalloc, or AllocatorInsight where `FIXTURE_PROGRAMS` says so.
let usesInsight = Context.environment["FIXTURE_PROGRAMS"]?.contains("insight") ?? false

// A user's package that names one product of a tagged version, so that SwiftPM holds the dependency to all its rules.
let package = Package(
  name: "Versioned",
  dependencies: [.package(url: "file://REPOSITORY", exact: "0.1.0")],
  targets: [
    .executableTarget(
      name: "App",
      dependencies: [.product(name: usesInsight ? "AllocatorInsight" : "GlobalJemalloc", package: "swift-allocators")])
  ]
)
