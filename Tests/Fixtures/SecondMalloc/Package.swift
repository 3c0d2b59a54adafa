// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import PackageDescription

// Somebody else's allocator: a shared library that takes over malloc.
let package = Package(
  name: "SecondMalloc",
  products: [.library(name: "SecondMalloc", type: .dynamic, targets: ["SecondMalloc"])],
  targets: [.target(name: "SecondMalloc")]
)
