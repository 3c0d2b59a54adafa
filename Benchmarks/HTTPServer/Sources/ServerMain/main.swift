// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

import AllocatorABI
import ItemService

// The arguments: the port, and the number of threads. The first line tells on which allocator this is.
guard CommandLine.arguments.count == 3, let port = Int(CommandLine.arguments[1]),
  let threads = Int(CommandLine.arguments[2])
else { fatalError("usage: Server-… PORT THREADS") }
print("allocator \(GlobalAllocator.name)")
try await ItemService.serve(port: port, threadCount: threads)
