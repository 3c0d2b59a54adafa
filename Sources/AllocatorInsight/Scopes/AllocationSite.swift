// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// What was allocated from one stack.
package struct AllocationSite {
  package var count: Int
  package var bytes: Int
  /// The Swift type of the objects, where they are objects, and alive.
  package var type: String?
  /// Innermost first, as far as the code that was measured.
  package var frames: [HeapProfile.Frame]

  /// Whether a process does this once, for whoever comes first, or whether it depends on chance: not the code's own.
  ///
  /// That is what Swift's runtime needs to know of types, the initial values of globals, and the stacks of tasks, which grow by a
  /// piece now and then.
  package var isOfTheProcess: Bool {
    frames.contains { frame in
      let (name, library) = (frame.function, frame.imageName)
      if name.hasPrefix("one-time initialization function for ") { return true }
      if library.hasPrefix("libswiftCore") { return Self.isOfTypes(name) }
      if library.hasPrefix("libswift_Concurrency") {
        return name == "swift_task_alloc" || name.hasPrefix("swift::StackAllocator<")
      }
      return library.hasPrefix("libdispatch")
        && (name.hasPrefix("dispatch_once") || name.hasPrefix("_dispatch_continuation_alloc"))
    }
  }

  /// Whether a function of Swift's runtime looks for types and conformances, and keeps what it has found.
  private static func isOfTypes(_ name: String) -> Bool {
    guard name.hasPrefix("swift_") || name.hasPrefix("swift::") || name.hasPrefix("_swift_") else { return false }
    return [
      "Metadata", "Conformance", "conformsToProtocol", "WitnessTable", "WitnessCache", "getTypeBy", "Demangle",
      "swift_once",
    ]
    .contains { name.contains($0) }
  }

  /// The functions of the program that are on the stack, innermost first; of libraries, where there is none.
  package var path: String {
    let own = frames.filter { !$0.isLibrary }
    var names: [String] = []
    for frame in own.isEmpty ? frames[...] : own[...] {
      var function = frame.function[...]
      if function.hasPrefix("static ") { function = function.dropFirst(7) }
      if function.hasPrefix("(extension in "), let end = function.firstIndex(of: ")") {
        // "(extension in Server):Server.Store.insert".
        function = function[end...].dropFirst(2)
      }
      let name = FunctionName.short(String(function))
      if names.last != name { names.append(name) }
    }
    if names.isEmpty { return "a stack that cannot be followed" }
    return names.prefix(4).joined(separator: " ← ") + (names.count > 4 ? " ← …" : "")
  }

  /// A line for each path and type, of those that have most, and how many more there are.
  package static func lines(of sites: [AllocationSite], withTypes: Bool, atMost limit: Int = 10) -> [String] {
    var merged: [(site: AllocationSite, path: String)] = []
    var places: [String: Int] = [:]
    for site in sites {
      let path = site.path
      let key = "\(site.type ?? "") \(path)"
      if let place = places[key] {
        merged[place].site.count += site.count
        merged[place].site.bytes += site.bytes
      } else {
        places[key] = merged.count
        merged.append((site, path))
      }
    }
    merged.sort { withTypes ? $0.site.bytes > $1.site.bytes : $0.site.count > $1.site.count }
    var lines = merged.prefix(limit).map { site, path in
      let what = withTypes ? "\(number(site.count)) × \(site.type ?? "no Swift object")" : number(site.count)
      return "  \(what), \(number(site.bytes)) bytes: \(path)"
    }
    if merged.count > limit { lines.append("  and \(merged.count - limit) more") }
    return lines
  }

  package static func number(_ value: Int) -> String { HeapProfile.count(Double(value)) }
}
