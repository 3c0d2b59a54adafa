// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: 2026 the swift-allocators authors

/// The format of `go tool pprof` (`profile.proto` in github.com/google/pprof).
///
/// Values are objects and bytes, allocated and in use, as pprof's heap profiles have them, and the estimated variance of each, which adds
/// up as the values do. The label `swift_type` has types, and `bytes` the size of an object where all of a row have one.
extension HeapProfile {
  /// The profile as a file for `go tool pprof`, in gzip.
  public var pprof: [UInt8] { Gzip.stored(pprofMessage) }

  static let sampleTypes = ["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"]

  /// Functions that allocate for their caller: pprof leaves them out, and what they have called.
  private static let droppedFrames =
    "swift_(allocObject|slowAlloc|slowAllocTyped|allocBox|allocError|task_alloc|cxx_newObject)|_swift_allocObject_|malloc|calloc|realloc"
    + "|posix_memalign|aligned_alloc|operator new.*"

  package var pprofMessage: [UInt8] {
    var strings = StringTable()
    var writer = ProtocolBufferWriter()
    for suffix in ["", "_variance"] {
      for name in Self.sampleTypes {
        let unit = name.hasSuffix("space") ? "bytes" : "count"
        writer.write(1) { type in
          type.write(1, strings.index(name + suffix))
          type.write(2, strings.index(suffix.isEmpty ? unit : "\(unit)²"))
        }
      }
    }
    var locations = LocationTable(images)
    for site in sites {
      let ids = site.frames.map { locations.id($0) }
      for row in site.rows {
        writer.write(2) { sample in
          sample.write(1, ids)
          sample.write(2, row.values)
          if let type = row.type {
            sample.write(3) { label in
              label.write(1, strings.index("swift_type"))
              label.write(2, strings.index(type))
            }
          }
          if let size = row.size {
            sample.write(3) { label in
              label.write(1, strings.index("bytes"))
              label.write(3, size)
              label.write(4, strings.index("bytes"))
            }
          }
        }
      }
    }
    locations.write(to: &writer, &strings)
    let comments = self.comments.map { strings.index($0) }
    let dropped = strings.index(Self.droppedFrames)
    let (space, bytes, usual) = (strings.index("space"), strings.index("bytes"), strings.index("inuse_space"))
    for text in strings.texts { writer.write(6, bytes: text.utf8) }
    writer.write(7, dropped)
    writer.write(9, Int(startDate * 1e9))
    writer.write(10, Int(seconds * 1e9))
    writer.write(11) { type in
      type.write(1, space)
      type.write(2, bytes)
    }
    writer.write(12, interval)
    writer.write(13, comments)
    writer.write(14, usual)
    return writer.bytes
  }

  /// What has no field of its own.
  private var comments: [String] {
    var comments = ["allocator: \(allocator)", "samples: \(samples)", "lost: \(lostSamples)"]
    if let growth { comments.append("growth: \(growth)") }
    if isDifference { comments.append("difference: 1") }
    return comments + notes.map { "note: \($0)" }
  }

  mutating func read(comment: String) {
    guard let colon = comment.firstIndex(of: ":") else { return }
    let value = String(comment[comment.index(after: colon)...].drop { $0 == " " })
    switch comment[..<colon] {
    case "allocator": allocator = value
    case "samples": samples = Int(value) ?? 0
    case "lost": lostSamples = Int(value) ?? 0
    case "growth": growth = Int(value)
    case "difference": isDifference = true
    case "note": notes.append(value)
    default: break
    }
  }
}

extension HeapProfile.Site {
  struct Row {
    var type: String?
    /// Bytes of each object, where it is known.
    var size: Int?
    var values: [Int]
  }

  /// One for what was allocated, and what is alive without a type; one for each type.
  var rows: [Row] {
    var rest = live
    for type in types {
      rest.add(type.live, sign: -1)
      rest.objects.variance -= 2 * type.live.objects.variance
      rest.bytes.variance -= 2 * type.live.bytes.variance
    }
    func row(_ type: String?, _ allocated: HeapProfile.Amount, _ live: HeapProfile.Amount) -> Row {
      let estimates = [allocated.objects, allocated.bytes, live.objects, live.bytes]
      let size = live.objects.value > 0 ? live.bytes.value / live.objects.value : 0
      return Row(
        type: type, size: type != nil && abs(size - size.rounded()) < 1e-9 * size ? Int(size.rounded()) : nil,
        values: estimates.map { Self.number($0.value) } + estimates.map { Self.number(max($0.variance, 0)) })
    }
    let rows = [row(nil, allocated, rest)] + types.map { row($0.name, HeapProfile.Amount(), $0.live) }
    return rows.filter { $0.values.contains { $0 != 0 } }
  }

  private static func number(_ value: Double) -> Int { Int(min(max(value.rounded(), -9e18), 9e18)) }
}

private struct StringTable {
  private(set) var texts = [""]
  private var indices = ["": 0]

  mutating func index(_ text: String) -> Int {
    if let index = indices[text] { return index }
    texts.append(text)
    indices[text] = texts.count - 1
    return texts.count - 1
  }
}

private struct LocationTable {
  private var ids: [HeapProfile.Frame: Int] = [:]
  private var frames: [HeapProfile.Frame] = []
  private let images: [HeapProfile.Image]

  init(_ images: [HeapProfile.Image]) { self.images = images }

  mutating func id(_ frame: HeapProfile.Frame) -> Int {
    if let id = ids[frame] { return id }
    frames.append(frame)
    ids[frame] = frames.count
    return frames.count
  }

  func write(to writer: inout ProtocolBufferWriter, _ strings: inout StringTable) {
    for (index, image) in images.enumerated() {
      writer.write(3) { mapping in
        mapping.write(1, index + 1)
        mapping.write(2, Int(bitPattern: image.low))
        mapping.write(3, Int(bitPattern: image.high))
        mapping.write(5, strings.index(image.path))
        mapping.write(6, strings.index(image.buildID))
        mapping.write(7, 1)
      }
    }
    var functions: [String: Int] = [:]
    for (index, frame) in frames.enumerated() {
      let function = functions[frame.function] ?? functions.count + 1
      let isNew = functions[frame.function] == nil
      functions[frame.function] = function
      let image = images.firstIndex { $0.low <= frame.address && frame.address < $0.high }
      writer.write(4) { location in
        location.write(1, index + 1)
        location.write(2, image.map { $0 + 1 } ?? 0)
        location.write(3, Int(bitPattern: frame.address))
        location.write(4) { $0.write(1, function) }
      }
      guard isNew else { continue }
      writer.write(5) { message in
        message.write(1, function)
        message.write(2, strings.index(frame.function))
      }
    }
  }
}
