LIBS_session = -lical
