// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import SessionService

guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
  fatalError("usage: Sessions-… PORT")
}
print("allocator \(GlobalAllocator.name)")
try await SessionService.serve(port: port)
