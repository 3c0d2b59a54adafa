// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import AllocatorInstallation
import Foundation

/// What every program here does: prints what its first argument names, and ends with 0, or with 1 where the allocator is
/// not installed.
public func reportInstallation() -> Int32 {
  // Foundation is loaded because it is used.
  let numbers = try? JSONDecoder().decode([Int].self, from: Data("[1, 2, 3]".utf8))
  guard numbers == [1, 2, 3] else { return 2 }

  switch CommandLine.arguments.dropFirst().first {
  case "table":
    print(GlobalAllocator.installation)
  case "calls":
    for entryPoint in GlobalAllocator.installation.entryPoints {
      for binding in entryPoint.bindings {
        print(entryPoint.symbol, binding.caller, binding.function, binding.answer, binding.isLinkedAllocator)
      }
    }
  default:
    break
  }
  do {
    try GlobalAllocator.requireInstalled()
    return 0
  } catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    return 1
  }
}
